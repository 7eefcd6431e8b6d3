import { Writable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
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
});
