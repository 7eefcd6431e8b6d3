import { Writable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import xterm from '@xterm/headless';
import { Painter } from './painter.js';

let written: string;
let painter: Painter;

beforeEach(() => {
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written += chunk.toString();
      done();
    },
  });
  painter = new Painter(output);
  painter.open();
  painter.paint('one\ntwo\nthree');
  written = '';
});

describe('the painter', () => {
  it('writes the rows that changed, and no others', () => {
    painter.paint('one\nTWO\nthree');
    expect(written).toContain('\u001b[2;1H\u001b[2KTWO');
    expect(written).not.toMatch(/one|three/);
    written = '';
    painter.paint('one\nTWO\nthree');
    expect(written).toBe('');
  });

  it('empties rows that are no more, and writes all after a change of size', () => {
    painter.paint('one');
    expect(written).toContain('\u001b[2;1H\u001b[2K\u001b[0m\u001b[3;1H\u001b[2K');
    painter.forget();
    written = '';
    painter.paint('one');
    expect(written).toContain('one');
  });

  it('leaves the terminal once, and writes nothing on it afterwards', () => {
    painter.close();
    expect(written.endsWith('\u001b[?1049l')).toBe(true);
    written = '';
    painter.paint('late');
    painter.close();
    expect(written).toBe('');
  });

  it('lets no text leave its row, nor move what stands behind it, when the terminal draws it wider than it was thought to be', async () => {
    const terminal = new xterm.Terminal({ cols: 20, rows: 3, allowProposedApi: true });
    // This emulator draws a family as so many people; who made the row took it for one picture of two columns.
    const family = '👩‍👩‍👧‍👧‍👩';
    painter.forget();
    painter.paint(`${family.repeat(20)}Password:\n${family} │ text\nthree`);
    await new Promise<void>((resolve) => terminal.write(written, resolve));
    const at = (y: number, x: number) => terminal.buffer.active.getLine(y)?.getCell(x)?.getChars();
    expect([at(1, 0), at(1, 3), at(1, 5), at(2, 0)]).toEqual(['👩\u200d', '│', 't', 't']);
    terminal.dispose();
    expect(written.lastIndexOf('\u001b[?7h')).toBeGreaterThan(written.lastIndexOf('three'));
  });
});
