import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { fromBinary } from '@bufbuild/protobuf';
import { ClientHandshake, ready, ServerHandshake } from '@sotto/channel';
import { makeDeviceIdentity, MlsEngine } from '@sotto/mls';
import { nodeProvider } from '@sotto/mls/node';
import { EnvelopeSchema, fromHex, toHex } from '@sotto/protocol';
import { openHello } from '../../libs/client/dist/groups/hello.js';
import { nodeArgon2id } from '../../libs/client/dist/node/argon2id.js';
import { importRecoveryFile } from '../../libs/client/dist/session/recovery-file.js';
import { sodiumReady } from '../../libs/client/dist/sodium.js';
import { BOXES_BEFORE_REKEY, hpke, makeVectors, NOW, type Vectors } from './vectors.js';

const FILE = new URL('../../docs/vectors.json', import.meta.url);

/** After a change of the protocol on purpose, which needs a new version or suite: WRITE_VECTORS=1 npm run jest -- test/vectors */
const writes = process.env['WRITE_VECTORS'] === '1';

describe('docs/vectors.json', () => {
  let made: Vectors;
  let vectors: Vectors;

  beforeAll(async () => {
    await Promise.all([ready(), sodiumReady()]);
    made = await makeVectors();
    if (writes) await writeFile(FILE, `${JSON.stringify(made, null, 2)}\n`);
    vectors = JSON.parse(await readFile(FILE, 'utf8')) as Vectors;
  });

  it('is what the code makes of its inputs', () => {
    expect(vectors).toEqual(made);
  });

  it('has hellos that a client trusts, and that lead a server to the boxes', async () => {
    const { serverHello, clientHello, pin, binding, kemSecret, ephemeralSecret } = vectors.handshake;
    expect(clientHello.endsWith(toHex(nodeProvider.x25519PublicKey(fromHex(ephemeralSecret))))).toBe(true);
    expect(toHex((await ClientHandshake.answer(fromHex(serverHello), { pin: fromHex(pin), now: NOW })).pin)).toBe(pin);
    const recipientKey = await hpke.kem.deserializePrivateKey(fromHex(kemSecret));
    // The keys that a server makes for each connection are its own secret.
    const handshake = Reflect.construct(ServerHandshake, [fromHex(serverHello), recipientKey]) as ServerHandshake;
    const channel = await handshake.accept(fromHex(clientHello));
    expect(toHex(channel.binding)).toBe(binding);
    const { frames, box0 } = vectors.boxes;
    expect(toHex(channel.open(fromHex(box0)))).toBe(frames);
  });

  it('has key packages that an engine takes, one of last resort', async () => {
    const [one, last] = vectors.keyPackages.map(({ message }) => fromHex(message)) as [Uint8Array, Uint8Array];
    const engine = await engineOfBob();
    expect(await engine.readKeyPackage(one, NOW)).toMatchObject({ lastResort: false, identity: { accountName: 'alice' } });
    expect(await engine.readKeyPackage(last, NOW)).toMatchObject({ lastResort: true });
  });

  it('has a hello and a recovery file that open', async () => {
    const { envelope, state, helloKey, hello } = vectors.hello;
    const { kind } = fromBinary(EnvelopeSchema, fromHex(envelope));
    if (kind.case !== 'hello') throw new Error('no hello');
    const opened = openHello(kind.value, (by) => (state.startsWith(by) ? fromHex(helloKey) : undefined));
    expect(toHex(opened?.bytes ?? new Uint8Array())).toBe(hello);
    const { file, passphrase, accountIdentitySeed } = vectors.recoveryFile;
    expect(toHex(await importRecoveryFile(fromHex(file), passphrase, nodeArgon2id))).toBe(accountIdentitySeed);
  });

  it('goes beyond a change of key', () => {
    expect(BOXES_BEFORE_REKEY).toBe(4_096);
    expect(vectors.boxes.key4096).not.toBe(vectors.handshake.clientToServer);
  });
});

async function engineOfBob(): Promise<MlsEngine> {
  const [accountSeed, secretKey] = [new Uint8Array(32).fill(8), new Uint8Array(32).fill(9)];
  const signatureKeys = { secretKey, publicKey: nodeProvider.ed25519PublicKey(secretKey) };
  const ids = { account: 'b1'.repeat(16), device: 'd2'.repeat(16), accountKey: nodeProvider.ed25519PublicKey(accountSeed) };
  const who = { server: 'chat.example', accountName: 'bob', ...ids };
  const identity = makeDeviceIdentity(nodeProvider, who, accountSeed, signatureKeys.publicKey);
  return MlsEngine.create({ provider: nodeProvider, server: 'chat.example', identity, signatureKeys });
}
