import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { RULE_NAMES } from './rules.js';

const SIMULATE = fileURLToPath(new URL('../../dist/simulate.js', import.meta.url));
const LONG = 900_000;

async function simulate(...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, [SIMULATE, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text: Buffer) => void (output += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

describe('npm run simulate', () => {
  it(
    'finds nothing wrong in thirty worlds, three of them on real cryptography',
    async () => {
      const { code, output } = await simulate('--seeds', '30', '--minutes', '12');
      expect(output).toContain('30 of 30 seeds, 0 failed');
      expect(code).toBe(0);
    },
    LONG,
  );
});
