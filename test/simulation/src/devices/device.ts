import {
  type Change,
  type Claimed,
  decodeRecord,
  type GroupRules,
  type IncomingReceipt,
  type Journal,
  Messenger,
  type MessengerNotice,
  type MessengerPorts,
  type OutgoingSend,
  type Step,
} from '@sotto/client/core';
import type { MlsEngine, MlsProvider, OwnKeyPackage } from '@sotto/mls';
import { type Outcome, ReceiptStatus } from '@sotto/protocol';
import { type Ledger, Memory, type Opening, type Sealing } from '../checks/ledger.js';
import type { Counters } from '../counters.js';
import type { Random } from '../random.js';
import { deliveryToken } from '../server/delivery-token.js';
import type { ClaimedBytes } from '../server/directory.js';
import type { FrameToDevice, ReceiptFrame } from '../server/frames.js';
import type { Connection, Endpoint, Server } from '../server/server.js';
import type { Trace } from '../trace.js';
import { type CrashPoint, Disk, DiskStore } from './disk.js';
import { described, envelopeOf, messagesIn } from './envelopes.js';
import { type CommitStep, hex, leafName, observed, type SealedHere } from './observed-engine.js';
import { SimulatedStock } from './package-stock.js';
import { StepRunner } from './step-runner.js';

const CAPABILITY_BYTES = 16;
/** How long its user thinks about it. */
const KEEPS_AFTER_MS = 10_000;
const REVOKED = 'revoked';
const HISTORY = 'history';
const WRITTEN = 'written';
const LEFT = 'left';

/** Who a device is, for good: what its owner would not lose with its disk. */
export interface Identity {
  /** Readable: `bob.2`. */
  readonly name: string;
  /** Ids in lower-case hex. */
  readonly account: string;
  readonly device: string;
  readonly engine: MlsEngine;
  readonly provider: MlsProvider;
  readonly deliveryKey: Uint8Array;
  /** The same device on other primitives. */
  readonly engineWith: (provider: MlsProvider) => Promise<MlsEngine>;
}

/** What all devices of a run share. */
export interface World {
  readonly server: Server;
  readonly ledger: Ledger;
  readonly counters: Counters;
  readonly trace: Trace;
  readonly rules: GroupRules;
  readonly retryWindowMs: number;
  areContacts(account: string, other: string): boolean;
  /** Whether any device has durably seen that leaf removed. */
  isRemoved(leaf: string): boolean;
  /** For the trace. */
  nameOf(device: string): string;
  /** How long a device waits between its ticks: longer while hours pass in which nothing happens. */
  tickEvery(usual: number): number;
}

export interface DeviceSettings {
  /** How far its clock is off. Milliseconds. */
  readonly skew: number;
  /** One-time key packages that it keeps published. */
  readonly oneTimePackages: number;
  /** Between its ticks. Milliseconds. */
  readonly tickMs: number;
}

/** One run of the device's program: what ends with a crash. */
interface Process {
  readonly runner: StepRunner;
  readonly stock: SimulatedStock;
  readonly revoked: Set<string>;
  /** What presence events told of other accounts. */
  readonly online: Map<string, boolean>;
  /** By group: whose hellos have come, and when the last of each was sent. */
  readonly heard: Map<string, Map<string, number>>;
  messenger?: Messenger;
  connection?: Connection;
}

/** As it stands on the disk. */
interface ShownRecord {
  readonly content: string;
  readonly plaintext: Uint8Array;
  /** The sender's device. */
  readonly from: string;
}

/** A message as it stands in a device's history. */
export interface Shown {
  readonly content: string;
  /** Hex. */
  readonly plaintext: string;
}

/** Records on a disk are never changed in place: each is read once, however often the world is judged. */
const readShown = new WeakMap<Uint8Array, Shown>();

function shownIn(record: Uint8Array): Shown {
  const known = readShown.get(record);
  if (known !== undefined) return known;
  const { content, plaintext } = decodeRecord<ShownRecord>(record);
  const shown = { content, plaintext: hex(plaintext) };
  readShown.set(record, shown);
  return shown;
}

/** What can be put back later. */
export interface Copy {
  readonly disk: Disk;
  readonly memory: Memory;
}

/** One device: a Messenger, its disk, and everything that can happen to both. */
export class Device {
  disk = new Disk();
  memory = new Memory();
  dead = false;
  /** What it answers to a delivery, instead of the truth. */
  answers: (outcome: Outcome) => Outcome = (outcome) => outcome;
  readonly engine: MlsEngine;
  #process: Process | undefined;
  /** Of the step under way: they count from when it is durable. */
  #facts: (() => void)[] = [];

  constructor(
    readonly identity: Identity,
    readonly settings: DeviceSettings,
    readonly world: World,
    private readonly random: Random,
  ) {
    this.engine = observed(identity.engine, {
      sealed: (message, sealing) => this.#noteSealing(message, sealing),
      opened: (message) => this.#facts.push(() => this.#noteOpened(message)),
      madeCommit: (commit, step) => this.#noteStep(commit, step, [identity.device, ...step.removed]),
      openedCommit: (commit, step) => this.#noteStep(commit, step, step.removed),
      failed: (commit) => void world.ledger.spoilt.get(commit)?.add(identity.device),
      joined: ({ authenticator }) => this.#noteState(hex(authenticator)),
      made: (text) => {
        world.counters.count('commit-made');
        this.#note(text);
      },
    });
  }

  get name(): string {
    return this.identity.name;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  get online(): boolean {
    return this.#process?.connection !== undefined;
  }

  /** By its own clock. Unix milliseconds. */
  get now(): number {
    return this.world.server.schedule.now + this.settings.skew;
  }

  /** Undefined while its program does not run. */
  get messenger(): Messenger | undefined {
    return this.#process?.messenger;
  }

  // --- life

  async start(): Promise<void> {
    if (this.running || this.dead) return;
    this.#note('starts');
    const runner = new StepRunner(new DiskStore(this.disk), {
      durable: (batch) => this.#remember(batch),
      crashed: (point, what) => this.#crashed(point, what),
      unsound: (text) => this.world.ledger.violate('sound-steps', `${this.name}: ${text}`),
    });
    const revoked = new Set(this.disk.read(REVOKED).keys());
    const process: Process = { runner, stock: new SimulatedStock(this.disk), revoked, online: new Map(), heard: new Map() };
    this.#process = process;
    const messenger = await runner.run('load', this.now, () => Messenger.load(this.#ports(process), new DiskStore(this.disk)));
    if (messenger === undefined) return;
    messenger.retryWindowMs = this.world.retryWindowMs;
    process.messenger = messenger;
    this.#tickLater(process);
  }

  /** The process ends, whatever it was doing. */
  stop(): void {
    this.#process?.connection?.close();
    this.#process = undefined;
  }

  die(): void {
    this.#note('dies for good');
    this.stop();
    this.dead = true;
  }

  /** In the next step that gets so far, the process ends. */
  crashAt(point: CrashPoint): void {
    this.#process?.runner.crashAt(point, this.random.whole(1, 3));
  }

  copy(): Copy {
    return { disk: this.disk.copy(), memory: this.memory.copy() };
  }

  /** As from a backup, or a virtual machine's snapshot: the disk is what it was when it was copied. */
  putBack({ disk, memory }: Copy): void {
    this.#note('is put back to an old copy of its disk');
    this.stop();
    this.disk = disk.copy();
    this.#noteLost(memory);
    this.memory = memory.copy();
  }

  // --- connection

  async connect(): Promise<void> {
    const process = this.#process;
    if (process?.messenger === undefined || process.connection !== undefined) return;
    this.#note('is online');
    process.connection = this.world.server.connect(this.#endpoint(process));
    if (this.#wasRemovedUnawares(process)) this.world.counters.count('removed-back');
    await this.step('online', (messenger, step) => messenger.online(step));
    await this.publish();
  }

  /** It takes itself for a member of a group from which it was removed. */
  #wasRemovedUnawares({ messenger }: Process): boolean {
    return (messenger?.groups() ?? []).some(({ id, out, members }) => {
      const own = members.find(({ identity }) => identity.device === this.identity.device);
      return !out && own !== undefined && this.world.isRemoved(leafName(id, own.id));
    });
  }

  async disconnect(): Promise<void> {
    const process = this.#process;
    if (process?.connection === undefined) return;
    this.#note('is offline');
    process.connection.close();
    delete process.connection;
    process.online.clear();
    await this.step('offline', (messenger, step) => messenger.offline(step));
  }

  /** No more crashes: it runs and is online, unless it is dead. */
  async recover(): Promise<void> {
    this.#process?.runner.crashAt(undefined);
    await this.start();
    await this.connect();
  }

  /** Fills up what the directory has of it. */
  async publish(): Promise<void> {
    const process = this.#process;
    if (process?.connection !== undefined) await this.step('key packages', (_, step) => this.#topUp(process, step));
  }

  send(send: OutgoingSend): void {
    const { sealings, hellos } = this.world.ledger;
    const envelope = envelopeOf(send.payload);
    for (const message of messagesIn(envelope)) {
      const sealing = sealings.get(message);
      if (sealing !== undefined) sealing.left = true;
    }
    if (envelope.case === 'hello') hellos.set(send.payload, { device: this.identity.device, at: this.world.server.schedule.now });
    this.#note(() => {
      const to = send.recipients.map(({ device }) => this.world.nameOf(device)).join(', ');
      return `sends ${described(envelope)} to ${to}${send.slot === undefined ? '' : ' by slot'} (${send.id.slice(0, 8)})`;
    });
    this.#process?.connection?.send({ kind: 'send', ...send });
  }

  #endpoint({ revoked }: Process): Endpoint {
    const { account, device, deliveryKey } = this.identity;
    return { account, device, registration: { deliveryKey, revoked }, receive: (frame) => this.#receive(frame) };
  }

  async #receive(frame: FrameToDevice): Promise<void> {
    if (frame.kind === 'deliver') {
      const from = this.world.ledger.hellos.get(frame.payload);
      const of = () => (from === undefined ? '' : ` of ${this.world.nameOf(from.device)}`);
      this.#note(() => `receives ${described(envelopeOf(frame.payload))}${of()}`);
      if (from !== undefined) this.#hears(from, frame.payload);
      await this.step('receive', (messenger, step) => messenger.receive(frame.handle, frame.payload, step));
    } else if (frame.kind === 'receipt') {
      this.#note(() => `is told ${ReceiptStatus[frame.status]} ${frame.id.slice(0, 8)} ${this.world.nameOf(frame.device)}`);
      await this.step('receipt', (messenger, step) => messenger.receipt(receiptOf(frame), step));
    } else {
      this.#process?.online.set(frame.account, frame.online);
      if (frame.online) await this.step('sighted', (messenger, step) => messenger.sighted(frame.account, step));
    }
  }

  #hears({ device, at }: { readonly device: string; readonly at: number }, payload: Uint8Array): void {
    const kind = envelopeOf(payload);
    if (kind.case !== 'hello') return;
    const group = hex(kind.value.group);
    const heard = this.#process?.heard.get(group) ?? new Map<string, number>();
    this.#process?.heard.set(group, heard.set(device, at));
  }

  #topUp({ stock }: Process, { journal }: Step): Promise<void> {
    const { account, device } = this.identity;
    const now = Math.floor(this.now / 1_000);
    const publisher = { account, device, engine: this.engine, now, newToken: () => this.#newToken() };
    return stock.topUp(publisher, this.settings.oneTimePackages, this.world.server.directory, journal);
  }

  // --- steps

  /** Undefined when there was no process, or it ended in the step. */
  async step<T>(what: string, work: (messenger: Messenger, step: Step) => Promise<T>): Promise<T | undefined> {
    const messenger = this.#process?.messenger;
    if (messenger === undefined) return undefined;
    this.world.counters.count(what === 'tick' ? 'tick' : 'step');
    this.#facts = [];
    return this.#process!.runner.run(what, this.now, (step) => work(messenger, step));
  }

  #tickLater(process: Process): void {
    this.world.server.schedule.after(this.world.tickEvery(this.settings.tickMs), async () => {
      if (this.#process !== process) return;
      await this.step('tick', (messenger, step) => messenger.tick(step));
      if (this.#process === process) this.#tickLater(process);
    });
  }

  #crashed(point: CrashPoint, what: string): void {
    this.world.counters.count(point === 'between-effects' ? 'crash-between-effects' : `crash-${point}`);
    this.#note(`crashes ${point} in ${what}`);
    this.stop();
  }

  /** What is durable is what the device knows. */
  #remember(batch: readonly Change[]): void {
    const { removals } = this.world.ledger;
    for (const { collection, key, value } of batch) {
      if (collection !== 'commits' || value === undefined) continue;
      for (const leaf of removals.get(key.slice(key.indexOf('/') + 1)) ?? []) this.memory.seenRemoved.add(leaf);
    }
    for (const fact of this.#facts.splice(0)) fact();
  }

  #noteStep(commit: string, { from, to, removedForGood, replaced }: CommitStep, closedTo: readonly string[]): void {
    const { ledger } = this.world;
    const { lineage, removals } = ledger;
    removals.set(commit, removedForGood);
    for (const [older, newer] of replaced) ledger.replaces(newer, older);
    if (to.removed) return;
    const state = hex(to.authenticator);
    const known = lineage.get(state)?.closedTo ?? [];
    lineage.set(state, { parent: hex(from.authenticator), commit, closedTo: new Set([...known, ...closedTo]) });
    this.#noteState(state);
  }

  #noteState(state: string): void {
    this.world.ledger.holds(this.identity.device, state);
    this.#facts.push(() => this.memory.states.add(state));
  }

  #noteSealing(message: string, sealing: SealedHere): void {
    const heard = new Map(this.#process?.heard.get(sealing.group));
    const noted: Sealing = { ...sealing, device: this.identity.device, heard, forbidden: [], left: false };
    this.world.ledger.sealings.set(message, noted);
    this.#note(
      () => `seals ${noted.content.slice(0, 8)} as message ${message.slice(0, 8)} in epoch ${noted.epoch}, generation ${noted.generation}`,
    );
    this.#facts.push(() => {
      noted.forbidden = noted.members.flatMap(({ leaf }) => (this.memory.seenRemoved.has(leaf) ? [leaf] : []));
    });
  }

  #noteLost({ opened }: Memory): void {
    const { ledger, server } = this.world;
    for (const message of this.memory.opened) {
      const opening = opened.has(message) ? undefined : ledger.opened.get(message)?.get(this.identity.device);
      if (opening !== undefined) ledger.opened.get(message)!.set(this.identity.device, { ...opening, lostAt: server.schedule.now });
    }
  }

  #noteOpened(message: string): void {
    const { opened } = this.world.ledger;
    const by = opened.get(message) ?? new Map<string, Opening>();
    opened.set(message, by.set(this.identity.device, { at: this.world.server.schedule.now, lostAt: Infinity }));
    this.memory.opened.add(message);
  }

  // --- ports

  #ports(process: Process): MessengerPorts {
    const { account, device, provider } = this.identity;
    const { world } = this;
    const effect = (what: string, act: () => void) => process.runner.effect(what, act);
    return {
      engine: this.engine,
      provider,
      own: { account, device },
      rules: world.rules,
      stock: {
        candidates: () => process.stock.candidates(),
        spend: (used, journal) => this.#spend(used, process, journal),
        outdated: (journal) => this.#outdated(process, journal),
      },
      random: (length) => this.random.bytes(length),
      newToken: () => this.#newToken(),
      revoke: (capability, step) => this.#revoke(capability, process, step),
      send: (send) => effect('a Send', () => this.send(send)),
      ack: (handle, outcome) => effect('an Ack', () => process.connection?.send({ kind: 'ack', handle, outcome: this.answers(outcome) })),
      claim: (about) => effect('a claim', () => this.#claim(about, process)),
      isOnline: (about) => process.online.get(about),
      isContact: (about) => world.areContacts(account, about),
      trusts: (about) => about === account || world.areContacts(account, about),
      notify: (notice, step) => this.#notice(notice, step),
      count: (rung) => world.counters.count(rung),
    };
  }

  #newToken(): Uint8Array {
    return deliveryToken(this.random.bytes(CAPABILITY_BYTES), this.identity.deliveryKey);
  }

  #spend(used: OwnKeyPackage, { stock }: Process, journal: Journal): boolean {
    const lastResort = stock.spend(used, journal);
    if (lastResort) journal.afterwards(() => this.world.server.schedule.after(0, () => this.publish()));
    return lastResort;
  }

  #outdated({ stock }: Process, journal: Journal): void {
    stock.outdated();
    journal.afterwards(() => this.world.server.schedule.after(0, () => this.publish()));
  }

  #revoke(capability: string, { revoked, stock }: Process, { journal, now }: Step): void {
    journal.put(REVOKED, capability, now);
    stock.discard(capability, journal);
    journal.afterwards(() => {
      revoked.add(capability);
      this.world.counters.count('token-revoked');
    });
  }

  #claim(account: string, process: Process): void {
    this.world.server.claim(this.#endpoint(process), account, (packages) => this.#claimed(account, packages));
  }

  async #claimed(account: string, packages: readonly ClaimedBytes[] | undefined): Promise<void> {
    for (const { lastResort } of packages ?? []) if (lastResort) this.world.counters.count('last-resort-package');
    const claimed: Claimed | undefined = packages?.map(({ device, bytes }) => ({ device, bytes }));
    await this.step('claimed', (messenger, step) => messenger.claimed(account, claimed, step));
  }

  /** As the client does: what the user is shown stands in the history, durable with the step. */
  #notice(notice: MessengerNotice, { journal }: Step): void {
    if (notice.kind === 'delivery') return;
    if (notice.kind === 'unjudged') journal.afterwards(() => this.world.server.schedule.after(KEEPS_AFTER_MS, () => this.#keep(notice)));
    if (notice.kind !== 'message') return this.#note(`is told: ${notice.kind}`);
    const { content, plaintext, from } = notice;
    journal.put(HISTORY, `${content}/${hex(this.random.bytes(4))}`, { content, plaintext, from: from.device } satisfies ShownRecord);
    journal.afterwards(() => this.#note(`shows ${content.slice(0, 8)}`));
  }

  /** The user wants them to stay who were removed as nobody else can judge, and from then on it is no fault to write to them. */
  async #keep({ group, members }: Extract<MessengerNotice, { kind: 'unjudged' }>): Promise<void> {
    for (const account of new Set(members.map(({ identity }) => identity.account))) {
      await this.step('keep', async (messenger, step) => {
        const theirs = messenger.unsafeGroup(group)?.core.unjudgedInHead.filter(({ identity }) => identity.account === account) ?? [];
        if (theirs.length === 0) return;
        await messenger.keep(group, account, step);
        this.#facts.push(() => theirs.forEach(({ id }) => this.memory.seenRemoved.delete(leafName(group, id))));
      });
    }
  }

  /** The user writes something. Returns its content id, unless the process ended first. */
  async write(group: string, plaintext: Uint8Array): Promise<string | undefined> {
    let content: string | undefined;
    await this.step('compose', async (messenger, step) => {
      const id = await messenger.compose(group, plaintext, step);
      step.journal.put(WRITTEN, id, true);
      content = id;
      this.world.ledger.composed.set(id, { content: id, device: this.identity.device, group, plaintext: hex(plaintext), discarded: false });
    });
    return content !== undefined && this.written().has(content) ? content : undefined;
  }

  /** The user wants nothing more of the group. */
  async leave(group: string): Promise<void> {
    await this.step('leave', async (messenger, step) => {
      await messenger.leave(group, step);
      step.journal.put(LEFT, group, true);
    });
  }

  /** Groups that its user has left at some time, as far as its disk knows. */
  left(): Set<string> {
    return new Set(this.disk.read(LEFT).keys());
  }

  /** Content ids of what its user wrote, as far as its disk knows. */
  written(): Set<string> {
    return new Set(this.disk.read(WRITTEN).keys());
  }

  /** What its user has been shown, in the order of the content ids. */
  history(): Shown[] {
    return [...this.disk.read(HISTORY).values()].map(shownIn);
  }

  #note(text: string | (() => string)): void {
    this.world.trace.note(this.name, text);
  }
}

function receiptOf({ id, device, status, relay, retryAfterMs, commit }: ReceiptFrame): IncomingReceipt {
  return { id, device, status, relay, retryAfterMs, commit, final: false };
}
