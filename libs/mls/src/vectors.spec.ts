import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { decryptWithLabel, encryptWithLabel } from '#ts-mls/crypto/hpke.js';
import { refhash } from '#ts-mls/crypto/hash.js';
import { deriveSecret, deriveTreeSecret, expandWithLabel } from '#ts-mls/crypto/kdf.js';
import { signWithLabel, verifyWithLabel } from '#ts-mls/crypto/signature.js';
import { decodeGroupContext } from '#ts-mls/groupContext.js';
import { initializeEpoch, mlsExporter } from '#ts-mls/keySchedule.js';
import {
  createSecretTree,
  deriveKey,
  deriveNonce,
  ratchetsOf,
  ratchetUntil,
  withRatchets,
  type GenerationSecret,
} from '#ts-mls/secretTree.js';
import { expandSenderDataKey, expandSenderDataNonce } from '#ts-mls/sender.js';
import { fromHex, toHex } from '@sotto/protocol';
import { browserProvider } from './crypto/browser-provider.js';
import { nodeProvider } from './crypto/node-provider.js';
import { suiteOf } from './crypto/suite.js';
import { decodeWhole } from './wire.js';

// The interoperability vectors of the MLS working group are 11 MB of data, kept beside the checkout and not in it.
const FOLDER = fileURLToPath(new URL('../../../../shared/mls-vectors/', import.meta.url));
const OUR_SUITE = 1;
const RETENTION = { retainKeysForGenerations: 1000, maximumForwardRatchetSteps: 2000, retainKeysForEpochs: 4 };

type Fields<Name extends string, Value = string> = Record<Name, Value>;
type Labelled<Name extends string> = Fields<Name | 'label'>;

interface CryptoBasics {
  derive_secret: Labelled<'out' | 'secret'>;
  derive_tree_secret: Labelled<'out' | 'secret'> & Fields<'generation' | 'length', number>;
  expand_with_label: Labelled<'context' | 'out' | 'secret'> & Fields<'length', number>;
  ref_hash: Labelled<'out' | 'value'>;
  sign_with_label: Labelled<'content' | 'priv' | 'pub' | 'signature'>;
  encrypt_with_label: Labelled<'ciphertext' | 'context' | 'kem_output' | 'plaintext' | 'priv' | 'pub'>;
}

type EpochSecret = 'init_secret' | 'sender_data_secret' | 'exporter_secret' | 'external_secret' | 'confirmation_key' | 'membership_key';
type Epoch = Fields<EpochSecret | 'resumption_psk' | 'epoch_authenticator' | 'joiner_secret' | 'welcome_secret' | 'encryption_secret'> &
  Fields<'commit_secret' | 'psk_secret' | 'group_context' | 'external_pub'> & {
    exporter: Labelled<'context' | 'secret'> & Fields<'length', number>;
  };

interface KeySchedule {
  initial_init_secret: string;
  epochs: Epoch[];
}

type Leaf = Fields<'application_key' | 'application_nonce' | 'handshake_key' | 'handshake_nonce'> & Fields<'generation', number>;

interface SecretTreeVector {
  encryption_secret: string;
  sender_data: Fields<'sender_data_secret' | 'ciphertext' | 'key' | 'nonce'>;
  leaves: Leaf[][];
}

function vectors<T>(name: string): T[] {
  const all = JSON.parse(readFileSync(`${FOLDER}${name}.json`, 'utf8')) as (T & { cipher_suite: number })[];
  return all.filter((vector) => vector.cipher_suite === OUR_SUITE);
}

const bytes = (text: string) => new TextEncoder().encode(text);

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
  ['node', nodeProvider],
  ['browser', browserProvider],
] as const)(`The %s provider${present ? '' : ' (skipped: no folder shared/mls-vectors beside the checkout)'}`, (_name, provider) => {
  const suite = suiteOf(provider);

  it('derives, hashes and expands as crypto-basics says', async () => {
    const [vector] = vectors<CryptoBasics>('crypto-basics');
    if (vector === undefined) throw new Error('no vector of suite 0x0001');
    const { derive_secret: derive, derive_tree_secret: tree, expand_with_label: expand, ref_hash: ref } = vector;
    expect(toHex(await deriveSecret(fromHex(derive.secret), derive.label, suite.kdf))).toBe(derive.out);
    expect(toHex(await deriveTreeSecret(fromHex(tree.secret), tree.label, tree.generation, tree.length, suite.kdf))).toBe(tree.out);
    const expanded = await expandWithLabel(fromHex(expand.secret), expand.label, fromHex(expand.context), expand.length, suite.kdf);
    expect(toHex(expanded)).toBe(expand.out);
    expect(toHex(await refhash(ref.label, fromHex(ref.value), suite.hash))).toBe(ref.out);
  });

  it('signs and verifies as crypto-basics says', async () => {
    for (const { sign_with_label: vector } of vectors<CryptoBasics>('crypto-basics')) {
      const [content, secret, pub] = [fromHex(vector.content), fromHex(vector.priv), fromHex(vector.pub)];
      expect(toHex(provider.ed25519PublicKey(secret))).toBe(vector.pub);
      expect(await verifyWithLabel(pub, vector.label, content, fromHex(vector.signature), suite.signature)).toBe(true);
      expect(toHex(await signWithLabel(secret, vector.label, content, suite.signature))).toBe(vector.signature);
      expect(await verifyWithLabel(pub, 'other', content, fromHex(vector.signature), suite.signature)).toBe(false);
    }
  });

  it('opens what crypto-basics sealed, and what it seals itself', async () => {
    const { hpke } = suite;
    for (const { encrypt_with_label: vector } of vectors<CryptoBasics>('crypto-basics')) {
      const own = await hpke.importPrivateKey(fromHex(vector.priv));
      const [context, enc, ct] = [fromHex(vector.context), fromHex(vector.kem_output), fromHex(vector.ciphertext)];
      expect(toHex(await decryptWithLabel(own, vector.label, context, enc, ct, hpke))).toBe(vector.plaintext);
      const recipient = await hpke.importPublicKey(fromHex(vector.pub));
      const sealed = await encryptWithLabel(recipient, vector.label, context, fromHex(vector.plaintext), hpke);
      expect(toHex(await decryptWithLabel(own, vector.label, context, sealed.enc, sealed.ct, hpke))).toBe(vector.plaintext);
    }
  });

  it('walks every epoch of key-schedule', async () => {
    for (const { initial_init_secret: initial, epochs } of vectors<KeySchedule>('key-schedule')) {
      let init = fromHex(initial);
      for (const epoch of epochs) {
        const context = decodeWhole(decodeGroupContext, fromHex(epoch.group_context));
        const secrets = await initializeEpoch(init, fromHex(epoch.commit_secret), context, fromHex(epoch.psk_secret), suite.kdf);
        const { keySchedule } = secrets;
        expect({
          joiner_secret: toHex(secrets.joinerSecret),
          welcome_secret: toHex(secrets.welcomeSecret),
          encryption_secret: toHex(secrets.encryptionSecret),
          init_secret: toHex(keySchedule.initSecret),
          sender_data_secret: toHex(keySchedule.senderDataSecret),
          exporter_secret: toHex(keySchedule.exporterSecret),
          external_secret: toHex(keySchedule.externalSecret),
          confirmation_key: toHex(keySchedule.confirmationKey),
          membership_key: toHex(keySchedule.membershipKey),
          resumption_psk: toHex(keySchedule.resumptionPsk),
          epoch_authenticator: toHex(keySchedule.epochAuthenticator),
          external_pub: toHex(await suite.hpke.exportPublicKey((await suite.hpke.deriveKeyPair(keySchedule.externalSecret)).publicKey)),
        }).toEqual(Object.fromEntries(Object.entries(epoch).filter(([name]) => !INPUTS.has(name))));
        const { exporter } = epoch;
        const exported = await mlsExporter(keySchedule.exporterSecret, exporter.label, fromHex(exporter.context), exporter.length, suite);
        expect(toHex(exported)).toBe(exporter.secret);
        init = keySchedule.initSecret;
      }
    }
  });

  it('ratchets every leaf of secret-tree', async () => {
    for (const vector of vectors<SecretTreeVector>('secret-tree')) {
      const { sender_data: sender } = vector;
      const [secret, ciphertext] = [fromHex(sender.sender_data_secret), fromHex(sender.ciphertext)];
      expect(toHex(await expandSenderDataKey(suite, secret, ciphertext))).toBe(sender.key);
      expect(toHex(await expandSenderDataNonce(suite, secret, ciphertext))).toBe(sender.nonce);
      const tree = await createSecretTree(vector.leaves.length, fromHex(vector.encryption_secret), suite.kdf);
      for (const [index, generations] of vector.leaves.entries()) {
        const node = ratchetsOf(await withRatchets(tree, index, suite.kdf), index);
        if (node === undefined) throw new Error('a leaf without secrets');
        for (const wanted of generations) {
          expect(await keyAt(node.application, wanted.generation)).toEqual([wanted.application_key, wanted.application_nonce]);
          expect(await keyAt(node.handshake, wanted.generation)).toEqual([wanted.handshake_key, wanted.handshake_nonce]);
        }
      }
    }
  });

  async function keyAt(ratchet: GenerationSecret, generation: number): Promise<[string, string]> {
    const [{ secret }] = await ratchetUntil(ratchet, generation, RETENTION, suite.kdf);
    return [toHex(await deriveKey(secret, generation, suite)), toHex(await deriveNonce(secret, generation, suite))];
  }
});

const INPUTS = new Set(['commit_secret', 'psk_secret', 'group_context', 'exporter', 'confirmed_transcript_hash', 'tree_hash']);

describe('HPKE labels', () => {
  it('keep one label from opening what another sealed', async () => {
    const { hpke } = suiteOf(nodeProvider);
    const { privateKey, publicKey } = await hpke.generateKeyPair();
    const sealed = await encryptWithLabel(publicKey, 'a', bytes('context'), bytes('hello bob'), hpke);
    await expect(decryptWithLabel(privateKey, 'b', bytes('context'), sealed.enc, sealed.ct, hpke)).rejects.toThrow();
  });
});
