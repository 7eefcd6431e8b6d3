import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMAND_NAMES, COMMANDS, optionsOf } from './command.js';
import { completionScript } from './completion.js';
import { SHELLS } from './shells.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-completion-'));
  await mkdir(join(folder, 'my store'));
  await writeFile(join(folder, 'my password'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What bash offers for the last word of a line. */
function offered(line: string): string[] {
  const words = line.split(' ');
  const script = `${completionScript('bash')}
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
    _sotto; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8' });
  if (status !== 0 || stderr !== '') throw new Error(`bash: ${stderr}`);
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completion in bash', () => {
  it('offers all commands, or those that begin so', () => {
    expect(offered('sotto ')).toEqual(expect.arrayContaining([...COMMAND_NAMES, 'help', '--version', '--password-file']));
    expect(offered('sotto jo')).toEqual(['join']);
  });

  it.each(COMMAND_NAMES)('offers each option of sotto %s', (command) => {
    const options = Object.keys(optionsOf(COMMANDS[command])).map((name) => `--${name}`);
    expect(offered(`sotto ${command} --`).sort()).toEqual(options.sort());
  });

  it('offers the values of an option, files and folders with spaces among them', () => {
    expect(offered('sotto host --registration ')).toEqual(['invite', 'open', 'closed']);
    expect(offered('sotto join --password-file my')).toEqual(expect.arrayContaining(['my password', 'my store']));
    expect(offered('sotto join --store ')).toEqual(['my store']);
    expect(offered('sotto join -p ')).toEqual([]);
  });

  it.each(['export', 'import'])('offers files as the archive of sotto %s', (command) => {
    expect(offered(`sotto ${command} my`)).toEqual(expect.arrayContaining(['my password', 'my store']));
    expect(offered(`sotto ${command} --pass`)).toContain('--passphrase-file');
  });

  it('offers the words behind a command', () => {
    expect(offered('sotto servers re')).toEqual(['remove']);
    expect(offered('sotto completion ')).toEqual(expect.arrayContaining([...SHELLS]));
    expect(offered('sotto help host')).toEqual(['host']);
  });
});

describe.each(['zsh', 'fish'] as const)('completion in %s', (shell) => {
  const isHere = spawnSync(shell, ['--version']).status === 0;

  (isHere ? it : it.skip)('is a script that the shell reads (skipped where the shell is not installed)', () => {
    const { stderr, status } = spawnSync(shell, ['-n'], { input: completionScript(shell), encoding: 'utf8' });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  });

  it('knows each command and option', () => {
    const script = completionScript(shell);
    for (const command of COMMAND_NAMES) {
      const about = script
        .split('\n')
        .filter((line) => line.includes(shell === 'zsh' ? `${command})` : `from ${command}'`))
        .join('\n');
      for (const option of Object.keys(optionsOf(COMMANDS[command])))
        expect(about).toContain(shell === 'zsh' ? `--${option}` : `-l ${option}`);
    }
  });
});
