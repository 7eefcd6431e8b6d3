import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { fromBinary } from '@bufbuild/protobuf';
import { ClientHandshake, ready, ServerHandshake } from '@sotto/channel';
import { nodeProvider } from '@sotto/mls/node';
import { type Envelope, EnvelopeSchema, fromHex, GreetingSchema, toHex } from '@sotto/protocol';
import { contentIdOf, messageRef } from '../../libs/client/dist/content/message-ref.js';
import { openHello } from '../../libs/client/dist/groups/hello.js';
import { GREETING_LABEL } from '../../libs/client/dist/groups/rejoining.js';
import { nodeArgon2id } from '../../libs/client/dist/node/argon2id.js';
import { importRecoveryFile } from '../../libs/client/dist/session/recovery-file.js';
import { sodiumReady } from '../../libs/client/dist/sodium.js';
import { BOXES_BEFORE_REKEY, engineOfAlice, engineOfBob, hpke, makeVectors, newcomer, NOW, type Vectors } from './vectors.js';

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
    const opened = openHello(valueOf(envelope, 'hello'), (by) => (state.startsWith(by) ? fromHex(helloKey) : undefined));
    expect(toHex(opened?.bytes ?? new Uint8Array())).toBe(hello);
    const { file, passphrase, accountIdentitySeed } = vectors.recoveryFile;
    expect(toHex(await importRecoveryFile(fromHex(file), passphrase, nodeArgon2id))).toBe(accountIdentitySeed);
  });

  it('has a conversation that alice reads with the keys of her package', async () => {
    const [{ message, initSecret, leafSecret }] = vectors.keyPackages as [Vectors['keyPackages'][number]];
    const { group, welcome, application, greeting, state, commitSlot, id } = vectors.conversation;
    const own = { publicBytes: fromHex(message), privateBytes: new Uint8Array([1, ...fromHex(initSecret), ...fromHex(leafSecret)]) };
    const engine = await engineOfAlice();
    const joined = await engine.joinFromWelcome(valueOf(welcome, 'welcome').welcome, [own]);
    expect(toHex(await engine.exporter(joined.state, 'sotto commit slot', new Uint8Array(), 32))).toBe(commitSlot);
    const opened = await engine.open(joined.state, valueOf(application, 'application').message);
    if (opened.kind !== 'application') throw new Error('no application message');
    expect(messageRef('b1'.repeat(16), opened.plaintext)).toBe(id);
    expect(toHex(opened.authenticatedData)).toContain(contentIdOf(id));
    expect(toHex(valueOf(application, 'application').state)).toBe(state);
    const { sealed } = valueOf(greeting, 'greeting');
    expect(toHex(fromBinary(GreetingSchema, engine.openAsLeaf(own, GREETING_LABEL, sealed)).group)).toBe(group);
  });

  it('has an approval that the new device takes', async () => {
    const { messages, code, accountIdentitySeed } = vectors.approval;
    const [, answer, opening, secret] = messages.map(fromHex) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const device = await newcomer();
    expect(device.answer(answer)).toEqual({ opening, code });
    expect(toHex(await device.open(secret))).toBe(accountIdentitySeed);
  });

  it('goes beyond a change of key', () => {
    expect(BOXES_BEFORE_REKEY).toBe(4_096);
    expect(vectors.boxes.key4096).not.toBe(vectors.handshake.clientToServer);
  });
});

type Kind = Envelope['kind'];
type Value<Case> = Extract<Kind, { case: Case }> extends { value: infer Of } ? Of : never;

function valueOf<Case extends NonNullable<Kind['case']>>(envelope: string, wanted: Case): Value<Case> {
  const { kind } = fromBinary(EnvelopeSchema, fromHex(envelope));
  if (kind.case !== wanted) throw new Error(`no ${wanted}`);
  return (kind as { value: unknown }).value as Value<Case>;
}
