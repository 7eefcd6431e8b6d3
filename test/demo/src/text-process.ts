import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const SOTTO = fileURLToPath(new URL('../../../apps/terminal/bin/sotto.js', import.meta.url));

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly complaints: string;
}

/**
 * A `sotto` command as people call it in scripts: what it is given through a pipe, and what it says.
 * @param output a file's descriptor, in which `out` stands then
 */
export async function runText(
  args: readonly string[],
  input = '',
  env: NodeJS.ProcessEnv = {},
  output: 'pipe' | number = 'pipe',
): Promise<Ended> {
  const child = spawn(process.execPath, [SOTTO, ...args], { stdio: ['pipe', output, 'pipe'], env: { ...process.env, ...env } });
  // One that fails at once reads nothing.
  child.stdin!.on('error', () => undefined).end(input);
  const said = child.stdout === null ? '' : text(child.stdout);
  const [out, complaints] = await Promise.all([said, text(child.stderr!), once(child, 'exit')]);
  return { code: child.exitCode, out, complaints };
}
