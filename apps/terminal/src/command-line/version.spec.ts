import { expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { VERSION, versionText } from './version.js';

it('the version is that of the package, told with Node and the protocol', async () => {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(VERSION).toBe(manifest.version);
  expect(versionText()).toBe(`sotto ${manifest.version} (Node ${process.version}, protocol sotto.v1)`);
});
