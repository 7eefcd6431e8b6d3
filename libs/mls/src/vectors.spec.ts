import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { decryptWithLabel, encryptWithLabel } from '#ts-mls/crypto/hpke.js';
import { browserProvider } from './crypto/browser-provider.js';
import { nodeProvider } from './crypto/node-provider.js';
import { suiteOf } from './crypto/suite.js';
import { text } from './fixtures/devices.js';
import { VECTORS } from './fixtures/vectors/index.js';

// 11 MB of data, kept beside the checkout and not in it.
const FOLDER = fileURLToPath(new URL('../../../../shared/mls-vectors/', import.meta.url));
const OUR_SUITE = 1;
const MINUTES = 60_000;
/** The browser's provider computes in JavaScript, which takes ten times as long: all of these with THOROUGH, else one of five, and not the longest. */
const THOROUGH = process.env['THOROUGH'] === '1';
const { 'passive-client-random': _longest, ...SHORTER } = VECTORS;

/** Of our suite, or of none. */
function vectorsOf(file: string): never[] {
  const all = JSON.parse(readFileSync(`${FOLDER}${file}.json`, 'utf8')) as { cipher_suite?: number }[];
  return all.filter(({ cipher_suite: suite }) => suite === undefined || suite === OUR_SUITE) as never[];
}

const present = existsSync(FOLDER);
const vectorsDescribe = present ? describe : describe.skip;

if (!present && process.env['CI'] !== undefined) {
  describe('the official MLS vectors', () => {
    it('are there whenever CI is set', () => {
      throw new Error('no folder shared/mls-vectors beside the checkout: the official MLS vectors cannot be checked');
    });
  });
}

vectorsDescribe.each([
  ['node', nodeProvider, VECTORS, 1],
  ['browser', browserProvider, THOROUGH ? VECTORS : SHORTER, THOROUGH ? 1 : 5],
] as const)(
  `With the %s provider${present ? '' : ' (skipped: no folder shared/mls-vectors beside the checkout)'}`,
  (_name, provider, files, oneOf) => {
    it.each(Object.entries(files))(
      'the vectors of %s hold',
      async (file, { check, ours }) => {
        const vectors = vectorsOf(file);
        expect(vectors).toHaveLength(ours);
        for (const vector of vectors.filter((_, i) => i % oneOf === 0)) await check(vector, suiteOf(provider));
      },
      5 * MINUTES,
    );
  },
);

describe('HPKE labels', () => {
  it('keep one label from opening what another sealed', async () => {
    const { hpke } = suiteOf(nodeProvider);
    const { privateKey, publicKey } = await hpke.generateKeyPair();
    const sealed = await encryptWithLabel(publicKey, 'a', text('context'), text('hello bob'), hpke);
    await expect(decryptWithLabel(privateKey, 'b', text('context'), sealed.enc, sealed.ct, hpke)).rejects.toThrow();
  });
});
