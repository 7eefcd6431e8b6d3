import { GROUP_RULES, type GroupRules, sodiumReady } from '@sotto/client/core';
import { accountKeyPair, deviceKeys, makeDeviceIdentity, MlsEngine, type MlsProvider } from '@sotto/mls';
import { nodeProvider } from '@sotto/mls/node';
import { Ledger } from '../checks/ledger.js';
import { Counters } from '../counters.js';
import { Device, type DeviceSettings, type Identity, type World } from '../devices/device.js';
import { hex } from '../devices/observed-engine.js';
import { replaceOutsideWorld } from '../outside-world.js';
import { Random } from '../random.js';
import { Schedule } from '../schedule.js';
import { Server } from '../server/server.js';
import { Trace } from '../trace.js';
import { unsafeProvider } from '../unsafe-provider.js';

const START = 1_790_000_000_000;
const SERVER_NAME = 'chat.example';
const ID_BYTES = 16;
const KEY_BYTES = 32;
const SLEEPING_TICK_MS = 300_000;
const SLOW_TICK_MS = 10_000;
const MOST_COMMITS = 1_500;

export interface Settings {
  readonly seed: number;
  readonly rules: GroupRules;
  /** With real cryptography. */
  readonly real: boolean;
  readonly trace: boolean;
  /** Devices of each account, by its name. */
  readonly people: Readonly<Record<string, number>>;
  /** Pairs of accounts that are no contacts of each other. */
  readonly strangers: readonly (readonly [string, string])[];
  /** Accounts, by name, that never seem to be online. */
  readonly invisible: readonly string[];
  readonly retryWindowMs: number;
  /** Unacknowledged deliveries of a device. */
  readonly deliveryWindow: number;
  /** How a device is: by its name. */
  readonly device: (name: string) => DeviceSettings;
}

export const SETTINGS: Settings = {
  seed: 1,
  rules: GROUP_RULES,
  real: false,
  trace: false,
  people: { alice: 1, bob: 1, carol: 1 },
  strangers: [],
  invisible: [],
  retryWindowMs: 30_000,
  deliveryWindow: 64,
  device: () => ({ skew: 0, oneTimePackages: 4, tickMs: 1_000 }),
};

/** The people, their devices, the server between them, and the virtual time in which all of it happens. */
export class Simulation implements World {
  readonly schedule = new Schedule(START);
  readonly random: Random;
  readonly counters = new Counters();
  readonly ledger = new Ledger();
  readonly trace: Trace;
  readonly server: Server;
  readonly devices: Device[] = [];
  /** Account ids, by name. */
  readonly accounts = new Map<string, string>();
  readonly #strangers = new Set<string>();
  readonly #invisible = new Set<string>();
  readonly #restoreOutsideWorld: () => void;
  /** Milliseconds. */
  #leastTick = 0;

  private constructor(readonly settings: Settings) {
    this.random = new Random(settings.seed, 'world');
    this.trace = new Trace(settings.trace, () => this.schedule.now);
    const { retryWindowMs, deliveryWindow } = settings;
    const network = new Random(settings.seed, 'network');
    const server = { retryWindowMs, deliveryWindow, invisible: this.#invisible };
    this.server = new Server(this.schedule, network, this.counters, server, (account) => this.#contactsOf(account));
    this.#restoreOutsideWorld = replaceOutsideWorld(() => this.schedule.now, new Random(settings.seed, 'outside'));
  }

  /** To be ended: until then, clock and random numbers of the whole process are those of the simulation. */
  static async begin(settings: Partial<Settings>): Promise<Simulation> {
    await sodiumReady();
    const simulation = new Simulation({ ...SETTINGS, ...settings });
    await simulation.#populate();
    return simulation;
  }

  end(): void {
    this.#restoreOutsideWorld();
  }

  get rules(): GroupRules {
    return this.settings.rules;
  }

  get retryWindowMs(): number {
    return this.settings.retryWindowMs;
  }

  isRemoved(leaf: string): boolean {
    return this.devices.some(({ memory }) => memory.seenRemoved.has(leaf));
  }

  areContacts(account: string, other: string): boolean {
    return account !== other && !this.#strangers.has(`${account}/${other}`);
  }

  nameOf(device: string): string {
    return this.devices.find(({ identity }) => identity.device === device)?.name ?? device.slice(0, 8);
  }

  device(name: string): Device {
    const device = this.devices.find((each) => each.name === name);
    if (device === undefined) throw new RangeError(`there is no device ${name}`);
    return device;
  }

  account(name: string): string {
    return this.accounts.get(name) ?? '';
  }

  async pass(ms: number): Promise<void> {
    await this.schedule.runUntil(this.schedule.now + ms, () => this.isStorm);
  }

  /** More commits than any wish explains: the devices keep each other busy, and time need not go on. */
  get isStorm(): boolean {
    return this.counters.of('commit-made') > MOST_COMMITS;
  }

  /** Much time passes, in which nobody does anything: devices tick seldom. */
  async sleep(ms: number): Promise<void> {
    this.#leastTick = SLEEPING_TICK_MS;
    await this.pass(ms);
    this.#leastTick = 0;
  }

  /** From now on nothing is urgent. */
  slowDown(): void {
    this.#leastTick = SLOW_TICK_MS;
  }

  tickEvery(usual: number): number {
    return Math.max(usual, this.#leastTick);
  }

  #contactsOf(account: string): ReadonlySet<string> {
    return new Set([...this.accounts.values()].filter((other) => this.areContacts(account, other)));
  }

  async #populate(): Promise<void> {
    const { people, strangers, invisible, seed } = this.settings;
    for (const [name, count] of Object.entries(people)) {
      const random = new Random(seed, name);
      const account = hex(random.bytes(ID_BYTES));
      this.accounts.set(name, account);
      const keys = accountKeyPair(this.#providerOf(random));
      for (let number = 1; number <= count; number++) {
        const deviceName = count === 1 ? name : `${name}.${number}`;
        const own = new Random(seed, deviceName);
        const identity = await this.#identity(deviceName, { name, account, keys }, own);
        this.devices.push(new Device(identity, this.settings.device(deviceName), this, own));
      }
    }
    for (const pair of strangers) {
      const [one, other] = pair.map((name) => this.account(name));
      this.#strangers.add(`${one}/${other}`).add(`${other}/${one}`);
    }
    for (const name of invisible) this.#invisible.add(this.account(name));
  }

  async #identity(
    name: string,
    owner: { readonly name: string; readonly account: string; readonly keys: ReturnType<typeof accountKeyPair> },
    random: Random,
  ): Promise<Identity> {
    const provider = this.#providerOf(random);
    const signatureKeys = deviceKeys(provider);
    const device = hex(random.bytes(ID_BYTES));
    const { account, keys } = owner;
    const who = { server: SERVER_NAME, account, accountName: owner.name, device, accountKey: keys.publicKey };
    const identity = makeDeviceIdentity(provider, who, keys.secretKey, signatureKeys.publicKey);
    const engineWith = (on: MlsProvider) => MlsEngine.create({ provider: on, server: SERVER_NAME, identity, signatureKeys });
    const deliveryKey = random.bytes(KEY_BYTES);
    return { name, account, device, engine: await engineWith(provider), provider, deliveryKey, engineWith };
  }

  #providerOf(random: Random): MlsProvider {
    const randomBytes = (length: number) => random.bytes(length);
    return this.settings.real ? { ...nodeProvider, randomBytes } : unsafeProvider(randomBytes);
  }
}
