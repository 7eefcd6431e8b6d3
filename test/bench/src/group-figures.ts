import { sodiumReady } from '@sotto/client/core';
import { BenchDevice, Someone } from './group-devices.js';

const MESSAGES = 200;
const MESSAGE = new Uint8Array(256).fill(120);
const AUTHENTICATED = new Uint8Array(18).fill(1);
const MISSED_COMMITS = 100;
const MISSED_MESSAGES = 1_000;
const ADDS = 5;

/** Milliseconds of this process's CPU, a call each unless it says otherwise. */
export interface GroupFigures {
  readonly members: number;
  readonly welcome_bytes: number;
  readonly join_ms: number;
  readonly add_ms: number;
  readonly send_ms: number;
  /** The engine alone, on the same state. */
  readonly bare_send_ms: number;
  /** With the receipts of all members. */
  readonly send_and_receipts_ms: number;
  /** 100 commits and 1,000 messages, from hello to the last message shown. */
  readonly catch_up_ms: number;
}

/** A group of `members` devices, in this process: what it costs one of them. */
export async function groupFigures(members: number): Promise<GroupFigures> {
  await sodiumReady();
  const [aliceHerself, bobHimself, ...rest] = await people(members + ADDS);
  const others = rest.slice(0, members - 2);
  const alice = await BenchDevice.open(aliceHerself!);
  const bob = await BenchDevice.open(bobHimself!);
  const { group, welcome, joinMs } = await groupOf(alice, bob, others);
  const add = await addsTo(group, alice, rest.slice(members - 2));
  for (const send of alice.sent.splice(0))
    if (send.recipients.some(({ device }) => device === bob.someone.device)) await bob.receive(send.payload);
  const send = await sends(group, alice);
  const catchUp = await catchesUp(group, alice, bob);
  return { members, welcome_bytes: welcome, join_ms: joinMs, add_ms: add, ...send, catch_up_ms: catchUp };
}

async function people(count: number): Promise<Someone[]> {
  const all: Someone[] = [];
  for (let i = 0; i < count; i++) all.push(await Someone.make());
  return all;
}

async function groupOf(alice: BenchDevice, bob: BenchDevice, others: readonly Someone[]) {
  const byAccount = new Map([bob.someone, ...others].map((each) => [each.account, each]));
  const group = await alice.step((step) => alice.messenger.createGroup('bench', [...byAccount.keys()], step));
  while (alice.claims.length > 0 || alice.sent.length > 0) {
    await alice.answerClaims(byAccount);
    for (const send of alice.sent.splice(0)) {
      await alice.delivered(send);
      if (!send.recipients.some(({ device }) => device === bob.someone.device)) continue;
      await bob.receive(send.payload);
    }
  }
  const carol = await Someone.make();
  const joiner = await BenchDevice.open(carol);
  const welcome = await added(group, alice, carol, bob);
  const joinMs = await cpu(() => joiner.receive(welcome));
  return { group, welcome: welcome.length, joinMs };
}

/** Returns the Welcome. */
async function added(group: string, alice: BenchDevice, someone: Someone, bob?: BenchDevice): Promise<Uint8Array> {
  await alice.step((step) => alice.messenger.wish(group, { kind: 'add', account: someone.account }, step));
  await alice.answerClaims(new Map([[someone.account, someone]]));
  const commits = alice.sent.splice(0);
  for (const commit of commits) await alice.delivered(commit);
  const welcomes = alice.sent.splice(0);
  for (const send of [...commits, ...welcomes]) {
    await alice.delivered(send);
    if (bob && send.recipients.some(({ device }) => device === bob.someone.device)) await bob.receive(send.payload);
  }
  return welcomes.find(({ recipients }) => recipients[0]?.device === someone.device)!.payload;
}

/** One member at a time: the commit, its Welcome and what the outbox does with both. */
async function addsTo(group: string, alice: BenchDevice, more: readonly Someone[]): Promise<number> {
  const times: number[] = [];
  for (const someone of more) {
    await alice.step((step) => alice.messenger.wish(group, { kind: 'add', account: someone.account }, step));
    times.push(await cpu(() => alice.answerClaims(new Map([[someone.account, someone]]))));
    for (const commit of alice.sent.slice()) await alice.delivered(commit);
  }
  return median(times);
}

async function sends(group: string, alice: BenchDevice) {
  const { core } = alice.messenger.unsafeGroup(group)!;
  const { engine } = alice.someone;
  let state = core.branches.state(core.head)!;
  const bare = await cpu(async () => {
    for (let i = 0; i < MESSAGES; i++) ({ state } = await engine.seal(state, MESSAGE, AUTHENTICATED));
  });
  const sent = await cpu(async () => {
    for (let i = 0; i < MESSAGES; i++) {
      await alice.step((step) => alice.messenger.compose(group, MESSAGE, step));
      // The receipts are counted apart; here they only keep the window open.
      if (i % 100 === 99) for (const send of alice.sent.slice(-100)) void send;
    }
  });
  let receipts = 0;
  for (let batch = alice.sent.splice(0); batch.length > 0; batch = alice.sent.splice(0)) {
    receipts += await cpu(async () => {
      for (const send of batch) await alice.delivered(send);
    });
  }
  return { bare_send_ms: bare / MESSAGES, send_ms: sent / MESSAGES, send_and_receipts_ms: (sent + receipts) / MESSAGES };
}

async function catchesUp(group: string, alice: BenchDevice, bob: BenchDevice): Promise<number> {
  for (let i = 0; i < MISSED_COMMITS; i++) {
    await alice.step((step) => alice.messenger.wish(group, { kind: 'refresh', id: `bench ${i}` }, step));
    for (let at = 0; at < MISSED_MESSAGES / MISSED_COMMITS; at++) await alice.step((step) => alice.messenger.compose(group, MESSAGE, step));
    for (const send of alice.sent.splice(0)) await alice.delivered(send);
  }
  const before = bob.shown;
  bob.sent.length = 0;
  await bob.step((step) => bob.messenger.online(step));
  let bobs = 0;
  const { device } = bob.someone;
  while (bob.shown - before < MISSED_MESSAGES && bob.sent.length > 0) {
    const hellos = bob.sent.splice(0).filter(({ recipients }) => recipients.some((each) => each.device === alice.someone.device));
    for (const hello of hellos) await alice.receive(hello.payload);
    const answers = alice.sent.splice(0).filter(({ recipients }) => recipients.some((each) => each.device === device));
    for (const { payload } of answers) bobs += await cpu(() => bob.receive(payload));
    if (hellos.length === 0) await bob.step((step) => bob.messenger.online(step));
  }
  if (bob.shown - before < MISSED_MESSAGES) throw new Error(`only ${bob.shown - before} of ${MISSED_MESSAGES} messages came`);
  return bobs;
}

async function cpu(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
