import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { defaultCryptoProvider, getCiphersuiteFromName } from 'ts-mls';
import { decryptWithLabel, encryptWithLabel } from '#ts-mls/crypto/hpke.js';
import { describeThoroughly, THOROUGH } from '@sotto/testing/thoroughly';
import { browserProvider } from './crypto/browser-provider.js';
import { nodeProvider } from './crypto/node-provider.js';
import { suiteOf } from './crypto/suite.js';
import { text } from './fixtures/devices.js';
import { VECTORS } from './fixtures/vectors/index.js';

// 11 MB of data, kept beside the checkout and not in it.
const FOLDER = fileURLToPath(new URL('../../../../shared/mls-vectors/', import.meta.url));
const OUR_SUITE = 1;
/**
 * Other suites, by the primitives of the library as published, and one of how many vectors: the curves of some are slow in JavaScript. Suites 3, 4
 * and 6 (ChaCha20-Poly1305, X448) would need packages that nothing else here does.
 */
const OTHER_SUITES = [
  [2, 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256', 5],
  [5, 'MLS_256_DHKEMP521_AES256GCM_SHA512_P521', 10],
  [7, 'MLS_256_DHKEMP384_AES256GCM_SHA384_P384', 10],
] as const;
const OF_EACH_OTHER_SUITE = 65;
const MINUTES = 60_000;
/** The browser's provider computes in JavaScript, which takes ten times as long: all of these with --thorough, else one of five, and not the longest. */
const { 'passive-client-random': _longest, ...SHORTER } = VECTORS;

function vectorsOf(file: string, which: (suite: number | undefined) => boolean): never[] {
  const all = JSON.parse(readFileSync(`${FOLDER}${file}.json`, 'utf8')) as { cipher_suite?: number }[];
  return all.filter(({ cipher_suite: suite }) => which(suite)) as never[];
}

const isOurs = (suite: number | undefined) => suite === undefined || suite === OUR_SUITE;

const present = existsSync(FOLDER);
const vectorsDescribe = present ? describe : describe.skip;
const whyNot = present ? '' : ' (skipped: no folder shared/mls-vectors beside the checkout)';

if (!present && (THOROUGH || process.env['CI'] !== undefined)) {
  describe('the official MLS vectors', () => {
    it('are there with --thorough, or where CI is set', () => {
      throw new Error('no folder shared/mls-vectors beside the checkout: the official MLS vectors cannot be checked');
    });
  });
}

vectorsDescribe.each([
  ['node', nodeProvider, VECTORS, 1],
  ['browser', browserProvider, THOROUGH ? VECTORS : SHORTER, THOROUGH ? 1 : 5],
] as const)(`With the %s provider${whyNot}`, (_name, provider, files, oneOf) => {
  it.each(Object.entries(files))(
    'the vectors of %s hold',
    async (file, { check, ours }) => {
      const vectors = vectorsOf(file, isOurs);
      expect(vectors).toHaveLength(ours);
      for (const vector of vectors.filter((_, i) => i % oneOf === 0)) await check(vector, suiteOf(provider));
    },
    5 * MINUTES,
  );
});

(present ? describeThoroughly : describe.skip)(`Of other suites${whyNot}`, () => {
  it.each(OTHER_SUITES)(
    'the vectors of suite %i hold as well (%s)',
    async (id, name, oneOf) => {
      const suite = await defaultCryptoProvider.getCiphersuiteImpl(getCiphersuiteFromName(name));
      const vectors = Object.entries(VECTORS).flatMap(([file, { check }]) =>
        vectorsOf(file, (each) => each === id).map((vector) => ({ check, vector })),
      );
      expect(vectors).toHaveLength(OF_EACH_OTHER_SUITE);
      for (const { check, vector } of vectors.filter((_, i) => i % oneOf === 0)) await check(vector, suite);
    },
    5 * MINUTES,
  );
});

describe('HPKE labels', () => {
  it('keep one label from opening what another sealed', async () => {
    const { hpke } = suiteOf(nodeProvider);
    const { privateKey, publicKey } = await hpke.generateKeyPair();
    const sealed = await encryptWithLabel(publicKey, 'a', text('context'), text('hello bob'), hpke);
    await expect(decryptWithLabel(privateKey, 'b', text('context'), sealed.enc, sealed.ct, hpke)).rejects.toThrow();
  });
});
