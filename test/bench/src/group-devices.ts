import { randomBytes } from 'node:crypto';
import {
  type Claimed,
  GROUP_RULES,
  type IncomingReceipt,
  Journal,
  Messenger,
  type MessengerPorts,
  type OutgoingSend,
  type Step,
} from '@sotto/client/core';
import { MemoryStore } from '@sotto/client';
import { accountKeyPair, deviceKeys, makeDeviceIdentity, MlsEngine, type OwnKeyPackage } from '@sotto/mls';
import { nodeProvider } from '@sotto/mls/node';
import { ReceiptStatus, toHex } from '@sotto/protocol';

const SERVER = 'bench.example';
const DAY_SECONDS = 86_400;
const RETRY_WINDOW_MS = 30_000;

/** Someone with one device: an engine and a key package, which is all that a member needs who only fills the group. */
export class Someone {
  private constructor(
    readonly account: string,
    readonly device: string,
    readonly engine: MlsEngine,
    readonly keyPackage: OwnKeyPackage,
  ) {}

  static async make(): Promise<Someone> {
    const [account, device] = [randomBytes(16), randomBytes(16)].map(toHex) as [string, string];
    const accountKeys = accountKeyPair(nodeProvider);
    const signatureKeys = deviceKeys(nodeProvider);
    const named = { server: SERVER, account, accountName: account.slice(0, 8), device, accountKey: accountKeys.publicKey };
    const identity = makeDeviceIdentity(nodeProvider, named, accountKeys.secretKey, signatureKeys.publicKey);
    const engine = await MlsEngine.create({ provider: nodeProvider, server: SERVER, identity, signatureKeys });
    const now = Math.floor(Date.now() / 1_000);
    const lifetime = { notBefore: now - DAY_SECONDS, notAfter: now + DAY_SECONDS };
    return new Someone(account, device, engine, await engine.generateKeyPackage({ token: randomBytes(32), lifetime }));
  }
}

/** A device with a messenger, whose sends are gathered instead of sent. */
export class BenchDevice {
  readonly sent: OutgoingSend[] = [];
  readonly claims: string[] = [];
  shown = 0;
  #handle = 0n;

  private constructor(
    readonly someone: Someone,
    private readonly store: MemoryStore,
  ) {}

  messenger!: Messenger;

  static async open(someone: Someone): Promise<BenchDevice> {
    const device = new BenchDevice(someone, new MemoryStore());
    device.messenger = await Messenger.load(device.#ports(), device.store);
    device.messenger.retryWindowMs = RETRY_WINDOW_MS;
    await device.step((step) => device.messenger.online(step));
    return device;
  }

  async step<T>(work: (step: Step) => Promise<T>): Promise<T> {
    const journal = new Journal(this.store);
    const result = await work({ journal, now: Date.now() });
    await journal.commit();
    return result;
  }

  receive(payload: Uint8Array): Promise<void> {
    return this.step((step) => this.messenger.receive(++this.#handle, payload, step));
  }

  /** The relay has it, and every recipient stored it. */
  async delivered(send: OutgoingSend): Promise<void> {
    const receipt = { id: send.id, relay: 1, retryAfterMs: 0, final: false, commit: '' };
    const all: IncomingReceipt[] = [
      { ...receipt, device: '', status: ReceiptStatus.ACCEPTED },
      ...send.recipients.map(({ device }) => ({ ...receipt, device, status: ReceiptStatus.DELIVERED })),
    ];
    await this.step(async (step) => {
      for (const each of all) await this.messenger.receipt(each, step);
    });
  }

  /** Answers the claims there are with these people's packages. */
  async answerClaims(people: ReadonlyMap<string, Someone>): Promise<void> {
    const answers = this.claims.splice(0).map((account): [string, Claimed] => {
      const one = people.get(account);
      return [account, one === undefined ? [] : [{ device: one.device, bytes: one.keyPackage.publicBytes }]];
    });
    for (const [account, claimed] of answers) await this.step((step) => this.messenger.claimed(account, claimed, step));
  }

  #ports(): MessengerPorts {
    const { someone } = this;
    return {
      engine: someone.engine,
      provider: nodeProvider,
      own: { account: someone.account, device: someone.device },
      rules: GROUP_RULES,
      stock: { candidates: () => [someone.keyPackage], outdated: () => undefined, spend: () => false },
      random: randomBytes,
      newToken: () => randomBytes(32),
      revoke: () => undefined,
      send: (send) => void this.sent.push(send),
      ack: () => undefined,
      claim: (account) => void this.claims.push(account),
      isOnline: () => true,
      isContact: () => true,
      trusts: () => true,
      notify: (notice) => void (this.shown += Number(notice.kind === 'message')),
      count: () => undefined,
    };
  }
}
