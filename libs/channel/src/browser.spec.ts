import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';

describe('the channel in a browser', () => {
  it('bundles without anything of Node', async () => {
    const result = await build({
      entryPoints: [fileURLToPath(new URL('./index.ts', import.meta.url))],
      bundle: true,
      platform: 'browser',
      format: 'esm',
      target: 'es2022',
      // libsodium asks for it by require, in a branch for engines without WebCrypto, and marks it so in its package.json.
      external: ['crypto'],
      write: false,
      metafile: true,
    });
    const imports = Object.values(result.metafile.inputs).flatMap((input) => input.imports);
    const external = imports.filter((one) => one.external === true).map((one) => `${one.kind} ${one.path}`);
    expect(external.filter((one) => one !== 'require-call crypto' && one !== 'dynamic-import crypto')).toEqual([]);
    expect(result.outputFiles[0]!.text).not.toMatch(/["']node:/);
  });
});
