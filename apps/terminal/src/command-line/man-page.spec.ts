import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { HELP_TOPICS, helpText } from './help.js';
import { manPage } from './man-page.js';

const hasGroff = spawnSync('groff', ['--version']).status === 0;
/** Wide enough that no line of the help is broken. */
const rendered = (page: string) =>
  spawnSync('groff', ['-man', '-Kutf8', '-Tutf8', '-P-c', '-rLL=200n', '-ww'], { input: page, encoding: 'utf8' });

describe('the man page', () => {
  it('has each line of the help, in the order of the help', () => {
    const lines = manPage('1.2.3').split('\n').map(plain);
    for (const text of [helpText(), ...HELP_TOPICS.map((topic) => helpText(topic))]) {
      const from = lines.indexOf(text.split('\n')[0]!);
      expect(lines.slice(from, from + text.split('\n').length).join('\n')).toBe(text);
    }
  });

  it('is what the build has written', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await readFile(new URL('../../man/sotto.1', import.meta.url), 'utf8')).toBe(manPage(version));
  });

  (hasGroff ? it : it.skip)(
    'is understood by groff without a warning, which shows the help as it is (skipped where there is no groff)',
    () => {
      const { stdout, stderr } = rendered(manPage('1.2.3'));
      expect(stderr).toBe('');
      const shown = stdout.split('\n').map((line) => line.trim());
      for (const line of helpText('join').split('\n')) expect(shown).toContain(line.trim());
    },
  );
});

function plain(line: string): string {
  const characters: Record<string, string> = { '\\e': '\\', '\\-': '-', '\\(aq': "'", '\\(ga': '`', '\\(ha': '^', '\\(ti': '~', '\\&': '' };
  return line.replace(/\\(?:[e&-]|\(..)/g, (escape) => characters[escape] ?? escape);
}
