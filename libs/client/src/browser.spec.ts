import { expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { join } from 'node:path';

it('bundles for a browser, with nothing of Node in it', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(process.cwd(), 'libs/client/dist/index.js')],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    metafile: true,
    logLevel: 'silent',
  });
  expect(outputFiles[0]!.text.length).toBeGreaterThan(10_000);
  const inputs = Object.keys(metafile.inputs).join('\n');
  expect(inputs).not.toMatch(/libsql|node_modules\/argon2\/|\/ws\/|node-provider|sqlite/);
  // Guarded by their own check for Node, in libsodium's loader alone.
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  expect(imports.filter((path) => path.startsWith('node:'))).toEqual([]);
});
