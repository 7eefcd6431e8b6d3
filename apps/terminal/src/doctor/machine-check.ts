import { VERSION } from '../command-line/version.js';
import { broken, type Finding, good, look } from './finding.js';

const NODE = { major: 20, minor: 19 };
/** Smaller, and the list of conversations leaves no room for messages. */
const SCREEN = { columns: 40, rows: 10 };

export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly output: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  /** As process.versions.node. */
  readonly node: string;
}

export function checkMachine(machine: Machine): Finding[] {
  return [checkNode(machine.node), ...checkTerminal(machine)];
}

function checkNode(node: string): Finding {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const isEnough = major > NODE.major || (major === NODE.major && minor >= NODE.minor);
  if (isEnough) return good('node', `sotto ${VERSION} on Node ${node}`);
  return broken('node', `Node ${node} is too old`, `take ${NODE.major}.${NODE.minor} or a newer one`);
}

function checkTerminal({ env, output }: Machine): Finding[] {
  if (output.isTTY !== true) return [good('terminal', 'no terminal: sotto join is in line mode')];
  const { columns = 0, rows = 0 } = output;
  const findings: Finding[] = [];
  if (env['TERM'] === 'dumb')
    findings.push(look('terminal', 'TERM is dumb: sotto join is in line mode', 'set TERM to what your terminal is'));
  if (!isUtf8(env))
    findings.push(look('terminal', 'the locale is not UTF-8: letters and marks may look wrong', 'set LANG, for instance to C.UTF-8'));
  if (columns < SCREEN.columns || rows < SCREEN.rows)
    findings.push(
      look(
        'terminal',
        `the terminal has ${columns} columns and ${rows} rows`,
        `make it ${SCREEN.columns} × ${SCREEN.rows} or larger, or use --plain`,
      ),
    );
  return findings.length > 0 ? findings : [good('terminal', `terminal of ${columns} × ${rows}, UTF-8, TERM ${env['TERM'] ?? 'not set'}`)];
}

/** The order of setlocale(3). */
function isUtf8(env: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');
}
