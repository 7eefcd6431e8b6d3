import { beforeAll, describe, expect, it } from '@jest/globals';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ApprovalAnswerSchema, ApprovalOpeningSchema, ApprovalSecretSchema } from '@sotto/protocol';
import { keyPairOf, randomBytes, sodiumReady } from '../sodium.js';
import { type ApprovalContext, Approver, isSameCode, Newcomer } from './approval-exchange.js';

const seed = new Uint8Array(32).fill(9);
let context: ApprovalContext;
beforeAll(async () => {
  await sodiumReady();
  context = { account: '0a'.repeat(16), device: '0b'.repeat(16), deviceName: 'the tablet', identityKey: keyPairOf(seed).publicKey };
});

/** Both ends of one exchange, with nobody between. */
async function exchange(ofOld = context, ofNew = context) {
  const newcomer = await Newcomer.start(ofNew);
  const approver = new Approver(ofOld, newcomer.commitment);
  const { opening, code } = newcomer.answer(approver.answer);
  return { newcomer, approver, opening, code };
}

describe('the exchange of an approval', () => {
  it('shows the same eight digits on both devices, and brings the key over', async () => {
    const { newcomer, approver, opening, code } = await exchange();
    expect(approver.open(opening)).toBe(code);
    expect(code).toMatch(/^\d{8}$/);
    expect(await newcomer.open(await approver.seal(seed))).toEqual(seed);
  });

  it('shows other digits each time', async () => {
    expect((await exchange()).code).not.toBe((await exchange()).code);
  });

  it('shows nothing of the key to whoever carries it', async () => {
    const { approver, opening } = await exchange();
    approver.open(opening);
    expect(Buffer.from(await approver.seal(seed)).includes(Buffer.from(seed.subarray(0, 8)))).toBe(false);
  });

  it.each([
    ['account', { account: '0c'.repeat(16) }],
    ['account key', { identityKey: new Uint8Array(32).fill(1) }],
  ])('shows different codes when a server tells the two ends another %s', async (_what, change) => {
    const { approver, opening, code } = await exchange({ ...context, ...change });
    expect(approver.open(opening)).not.toBe(code);
  });

  it.each([
    ['device', { device: '0c'.repeat(16) }],
    ['device name', { deviceName: 'the phone' }],
  ])('is broken at the old device when a server tells it another %s', async (_what, change) => {
    const { approver, opening } = await exchange({ ...context, ...change });
    expect(() => approver.open(opening)).toThrow(/another key than was committed to/);
  });

  it('shows different codes when a server puts its own key in the place of the new device’s', async () => {
    const newcomer = await Newcomer.start(context);
    const server = await Newcomer.start(context);
    const approver = new Approver(context, server.commitment);
    const shownOld = approver.open(server.answer(approver.answer).opening);
    const shownNew = newcomer.answer(approver.answer).code;
    expect(shownOld).not.toBe(shownNew);
    // Whoever approves all the same gives the key to the server; the new device, whose user did not compare, cannot open it either.
    await expect(newcomer.open(await approver.seal(seed))).rejects.toMatchObject({ reason: 'approval-broken' });
  });

  it('does not let the server open another key once it has seen the answer', async () => {
    const newcomer = await Newcomer.start(context);
    const approver = new Approver(context, newcomer.commitment);
    const { opening } = newcomer.answer(approver.answer);
    const { kemKey, nonce } = fromBinary(ApprovalOpeningSchema, opening);
    const swapped = (change: object) => toBinary(ApprovalOpeningSchema, create(ApprovalOpeningSchema, { kemKey, nonce, ...change }));
    for (const change of [{ kemKey: randomBytes(32) }, { nonce: randomBytes(32) }]) {
      expect(() => approver.open(swapped(change))).toThrow(/another key than was committed to/);
    }
  });

  it('does not let the server try answers on a new device until one fits', async () => {
    const { newcomer } = await exchange();
    const another = toBinary(ApprovalAnswerSchema, create(ApprovalAnswerSchema, { nonce: randomBytes(32) }));
    expect(() => newcomer.answer(another)).toThrow(/a second answer/);
  });

  it('takes no key that the server sealed itself', async () => {
    const { newcomer, opening } = await exchange();
    const server = new Approver(context, newcomer.commitment);
    server.open(opening);
    await expect(newcomer.open(await server.seal(randomBytes(32)))).rejects.toThrow(/not sealed for this device/);
  });

  it('takes no key of another account from a device that knew the code', async () => {
    const { newcomer, approver, opening } = await exchange();
    approver.open(opening);
    await expect(newcomer.open(await approver.seal(randomBytes(32)))).rejects.toThrow(/of another account/);
  });

  it('is broken by bytes that are no message, of any kind', async () => {
    const { newcomer, approver } = await exchange();
    const empty = toBinary(ApprovalSecretSchema, create(ApprovalSecretSchema, {}));
    for (const bytes of [new Uint8Array(), Uint8Array.of(255, 255), empty]) {
      expect(() => approver.open(bytes)).toThrow(/approval failed/);
      await expect(newcomer.open(bytes)).rejects.toMatchObject({ reason: 'approval-broken' });
    }
    const fresh = await Newcomer.start(context);
    expect(() => fresh.answer(Uint8Array.of(10, 1, 7))).toThrow(/wrong length/);
  });

  it('reads a code with the spaces and hyphens that people put in', () => {
    for (const typed of ['12345678', '1234 5678', ' 1234-5678 ']) expect(isSameCode('12345678', typed)).toBe(true);
    for (const typed of ['', '1234567', '123456789', '1234567x']) expect(isSameCode('12345678', typed)).toBe(false);
  });
});
