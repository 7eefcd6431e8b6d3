import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ClientHelloSchema, type ServerHello, ServerHelloSchema, signedBytes, type Suite } from '@sotto/protocol';
import fc from 'fast-check';
import { makeGatewayKey, pinOf, sign, signCertificate, signSuccession, type SigningKeyPair } from './certificate.js';
import { ChannelError } from './error.js';
import { ClientHandshake, type GatewayIdentity, inspectServerHello, ServerHandshake } from './handshake.js';
import { ready } from './sodium.js';

const NOW = 1_800_000_000;
const DAY = 24 * 3_600;

interface Server extends GatewayIdentity {
  readonly identity: SigningKeyPair;
  readonly pin: Uint8Array;
}

async function makeServer({ from = NOW - 60, to = NOW - 60 + DAY } = {}): Promise<Server> {
  const identity = makeGatewayKey();
  const gateway = makeGatewayKey();
  const body = { gatewayKey: gateway.publicKey, identityKey: identity.publicKey, notBefore: BigInt(from), notAfter: BigInt(to) };
  const certificate = signCertificate(body, identity.secretKey);
  return { identity, certificate, gatewaySigningKey: gateway.secretKey, pin: await pinOf(identity.publicKey) };
}

async function reasonOf(step: Promise<unknown>): Promise<string | undefined> {
  return step.then(
    () => undefined,
    (error: unknown) => (error instanceof ChannelError ? error.reason : String(error)),
  );
}

/** What a server that holds its key, but does not keep to the protocol, would send. */
async function resigned(server: Server, change: (hello: ServerHello) => void): Promise<Uint8Array> {
  const message = fromBinary(ServerHelloSchema, (await ServerHandshake.start(server)).hello);
  change(message);
  message.signature = new Uint8Array(0);
  message.signature = sign(signedBytes('serverHello', toBinary(ServerHelloSchema, message)), server.gatewaySigningKey);
  return toBinary(ServerHelloSchema, message);
}

beforeAll(ready);

describe('the handshake', () => {
  it('gives alice and the gateway one channel with one binding', async () => {
    const server = await makeServer();
    const handshake = await ServerHandshake.start(server);
    const alice = await ClientHandshake.answer(handshake.hello, { pin: server.pin, now: NOW });
    const channel = await handshake.accept(alice.clientHello);
    expect(channel.binding).toEqual(alice.channel.binding);
    expect(channel.binding).toHaveLength(32);
    expect(channel.open(alice.channel.seal(new Uint8Array([1])))).toEqual(new Uint8Array([1]));
    expect(alice.channel.open(channel.seal(new Uint8Array([2])))).toEqual(new Uint8Array([2]));
    expect(alice.pin).toEqual(server.pin);
  });

  it('tells the pin on first use', async () => {
    const server = await makeServer();
    const { hello } = await ServerHandshake.start(server);
    const alice = await ClientHandshake.answer(hello, { pin: undefined, now: NOW });
    expect(alice.pin).toEqual(server.pin);
    expect(alice.identityKey).toEqual(server.identity.publicKey);
  });

  it('refuses a recorded session that is replayed on a new connection, at its first box', async () => {
    const server = await makeServer();
    const recorded = await ServerHandshake.start(server);
    const alice = await ClientHandshake.answer(recorded.hello, { pin: server.pin, now: NOW });
    const box = alice.channel.seal(new Uint8Array([1]));
    const replayed = await (await ServerHandshake.start(server)).accept(alice.clientHello);
    expect(() => replayed.open(box)).toThrow(new ChannelError('tag-failed'));
  });

  it('accepts one hello only', async () => {
    const server = await makeServer();
    const handshake = await ServerHandshake.start(server);
    const { clientHello } = await ClientHandshake.answer(handshake.hello, { pin: server.pin, now: NOW });
    await handshake.accept(clientHello);
    expect(await reasonOf(handshake.accept(clientHello))).toBe('closed');
  });

  it('lets a look at the hello show whose it is and when it is good, whatever the clock says, and nothing that is not signed', async () => {
    const server = await makeServer({ from: NOW - 2 * DAY, to: NOW - DAY });
    const { hello } = await ServerHandshake.start(server);
    expect(await inspectServerHello(hello)).toMatchObject({ pin: server.pin, notBefore: NOW - 2 * DAY, notAfter: NOW - DAY });
    expect(await inspectServerHello(hello, server.pin)).toMatchObject({ pin: server.pin });
    expect(await reasonOf(inspectServerHello(hello, new Uint8Array(32)))).toBe('wrong-pin');
    const altered = fromBinary(ServerHelloSchema, hello);
    altered.random[0]! ^= 1;
    expect(await reasonOf(inspectServerHello(toBinary(ServerHelloSchema, altered)))).toBe('bad-signature');
    const { hello: endless } = await ServerHandshake.start(await makeServer({ to: NOW + 2 * DAY }));
    expect(await reasonOf(inspectServerHello(endless))).toBe('certificate-too-long');
  });

  it('refuses another identity than the pinned one', async () => {
    const { hello } = await ServerHandshake.start(await makeServer());
    expect(await reasonOf(ClientHandshake.answer(hello, { pin: new Uint8Array(32), now: NOW }))).toBe('wrong-pin');
  });

  it.each([
    ['certificate-expired', NOW - DAY, NOW],
    ['certificate-not-yet-valid', NOW + 1, NOW + 10],
    ['certificate-too-long', NOW - 1, NOW + DAY],
    ['malformed', NOW + 10, NOW - 10],
  ])('refuses a certificate as %s', async (reason, from, to) => {
    const server = await makeServer({ from, to });
    const { hello } = await ServerHandshake.start(server);
    expect(await reasonOf(ClientHandshake.answer(hello, { pin: server.pin, now: NOW }))).toBe(reason);
  });

  it('refuses a certificate that names the pinned identity but was signed by mallory', async () => {
    const server = await makeServer();
    const mallory = makeGatewayKey();
    const body = {
      gatewayKey: mallory.publicKey,
      identityKey: server.identity.publicKey,
      notBefore: BigInt(NOW),
      notAfter: BigInt(NOW + 9),
    };
    const certificate = signCertificate(body, mallory.secretKey);
    const { hello } = await ServerHandshake.start({ certificate, gatewaySigningKey: mallory.secretKey });
    expect(await reasonOf(ClientHandshake.answer(hello, { pin: server.pin, now: NOW }))).toBe('bad-signature');
  });

  it('refuses a certificate that mallory copied, without the key in it', async () => {
    const server = await makeServer();
    const { hello } = await ServerHandshake.start({ ...server, gatewaySigningKey: makeGatewayKey().secretKey });
    expect(await reasonOf(ClientHandshake.answer(hello, { pin: server.pin, now: NOW }))).toBe('bad-signature');
  });

  it('follows a change of identity only if the pinned one signed it', async () => {
    const old = await makeServer();
    const identity = makeGatewayKey();
    const gateway = makeGatewayKey();
    const answerWith = async (signer: SigningKeyPair): Promise<Uint8Array> => {
      const succession = { ...signSuccession(identity.publicKey, signer), oldIdentityKey: old.identity.publicKey };
      const times = { notBefore: BigInt(NOW), notAfter: BigInt(NOW + 9) };
      const body = { gatewayKey: gateway.publicKey, identityKey: identity.publicKey, ...times, succession };
      const certificate = signCertificate(body, identity.secretKey);
      const { hello } = await ServerHandshake.start({ certificate, gatewaySigningKey: gateway.secretKey });
      return (await ClientHandshake.answer(hello, { pin: old.pin, now: NOW })).pin;
    };
    expect(await answerWith(old.identity)).toEqual(await pinOf(identity.publicKey));
    expect(await reasonOf(answerWith(makeGatewayKey()))).toBe('wrong-pin');
  });

  it('refuses unknown versions and suites, and KEM keys of small order', async () => {
    const server = await makeServer();
    const reason = async (change: (hello: ServerHello) => void): Promise<string | undefined> =>
      reasonOf(ClientHandshake.answer(await resigned(server, change), { pin: server.pin, now: NOW }));
    expect(await reason((hello) => (hello.random = new Uint8Array(32)))).toBeUndefined();
    expect(await reason((hello) => (hello.version = 2))).toBe('unsupported-version');
    expect(await reason((hello) => (hello.suites = [99 as Suite]))).toBe('no-common-suite');
    expect(await reason((hello) => (hello.kemKey = new Uint8Array(32)))).toBe('malformed');
    expect(await reason((hello) => (hello.kemKey = new Uint8Array(31)))).toBe('malformed');
    expect(await reason((hello) => (hello.certificate = undefined))).toBe('malformed');
  });

  it('refuses client hellos of another suite, of small order or of no sense', async () => {
    const server = await makeServer();
    const reason = async (bytes: Uint8Array): Promise<string | undefined> => reasonOf((await ServerHandshake.start(server)).accept(bytes));
    const hello = (suite: number, enc: Uint8Array): Uint8Array => toBinary(ClientHelloSchema, create(ClientHelloSchema, { suite, enc }));
    expect(await reason(hello(99, new Uint8Array(32)))).toBe('no-common-suite');
    expect(await reason(hello(1, new Uint8Array(32)))).toBe('malformed');
    expect(await reason(hello(1, new Uint8Array(33)))).toBe('malformed');
    expect(await reason(new Uint8Array(9_000))).toBe('malformed');
    expect(await reason(new Uint8Array([0xff]))).toBe('malformed');
  });

  it('opens no channel when one byte of the server hello was changed on its way', async () => {
    const server = await makeServer();
    const check = fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const handshake = await ServerHandshake.start(server);
      const changed = new Uint8Array(handshake.hello);
      changed[at % changed.length]! ^= flip;
      const meeting = ClientHandshake.answer(changed, { pin: server.pin, now: NOW }).then(async (alice) => {
        // Another encoding of the same message passes the signature, but both sides hash the bytes as sent.
        (await handshake.accept(alice.clientHello)).open(alice.channel.seal(new Uint8Array(1)));
      });
      expect(['malformed', 'bad-signature', 'wrong-pin', 'no-common-suite', 'unsupported-version', 'tag-failed']).toContain(
        await reasonOf(meeting),
      );
    });
    await fc.assert(check, { numRuns: 60 });
  });
});
