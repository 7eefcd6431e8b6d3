import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ApprovalCommitmentSchema, ApprovalOpeningSchema, ErrorCode, ErrorSchema, fromHex, toHex } from '@sotto/protocol';
import { ClientError, ServerError } from '../client-error.js';
import type { Device } from '../device.js';
import type { Sessions } from '../session/sessions.js';
import { keyPairOf, randomBytes, sodiumReady } from '../sodium.js';
import type { Approval } from './approval.js';
import { Newcomer } from './approval-exchange.js';
import { DeviceApprovals } from './device-approvals.js';

const ACCOUNT = '0a'.repeat(16);
const PHONE = '01'.repeat(16);
const LAPTOP = '02'.repeat(16);
const TABLET = '03'.repeat(16);
const seed = new Uint8Array(32).fill(9);

interface Row {
  device: Uint8Array;
  deviceName: string;
  asked: bigint;
  expires: bigint;
  messages: Uint8Array[];
  approver: Uint8Array;
  refused: boolean;
}

/** What auth does with approvals; `shown` is where a hostile one alters what it shows to whom. */
class Server {
  rows: Row[] = [];
  time = 1_000n;
  listeners: (() => void)[] = [];
  deaf = false;
  shown: (row: Row, to: string) => Row = (row) => row;
  taken: (position: number, message: Uint8Array) => Promise<void> = () => Promise.resolve();

  async call(caller: string, method: string, request: { device: Uint8Array; deviceName: string; position: number; message: Uint8Array }) {
    const row = this.rows.find((each) => toHex(each.device) === toHex(request.device ?? fromHex(caller)));
    if (method === 'list') return { approvals: this.rows.map((each) => this.shown({ ...each, messages: [...each.messages] }, caller)) };
    if (method === 'ask') this.ask(caller, request);
    if (method === 'append') this.append(row, caller, request);
    if (method === 'refuse') row!.refused = true;
    if (method !== 'ask') await this.taken(request.position, request.message);
    if (!this.deaf) for (const tell of this.listeners) tell();
    return { lifetime: 600 };
  }

  private ask(caller: string, { deviceName, message }: { deviceName: string; message: Uint8Array }): void {
    this.rows = this.rows.filter((each) => toHex(each.device) !== caller);
    const times = { asked: this.time++, expires: this.time + 600n };
    this.rows.push({ device: fromHex(caller), deviceName, ...times, messages: [message], approver: new Uint8Array(), refused: false });
  }

  private append(row: Row | undefined, caller: string, { position, message }: { position: number; message: Uint8Array }): void {
    const taken = position % 2 === 1 && row !== undefined && row.approver.length > 0 && toHex(row.approver) !== caller;
    if (row === undefined || row.refused || row.messages.length !== position || taken)
      throw new ServerError(create(ErrorSchema, { code: ErrorCode.APPROVAL_GONE, text: 'gone' }));
    if (position % 2 === 1) row.approver = fromHex(caller);
    row.messages.push(message);
  }
}

/** One end, as far as approvals see it. */
class End {
  readonly heard: Approval[] = [];
  readonly problems: string[] = [];
  readonly approvals: DeviceApprovals;
  confirmedBy: Uint8Array | undefined;
  readonly session: { account: string; device: string; pending: boolean; identityKey: Uint8Array };

  constructor(
    server: Server,
    readonly id: string,
    pending: boolean,
    identityKey = keyPairOf(seed).publicKey,
  ) {
    const session = { account: ACCOUNT, device: id, pending, identityKey };
    this.session = session;
    const device = {
      session,
      closed: false,
      signedIn: () => ({ session, secrets: { identitySeed: pending ? undefined : seed } }),
      requireLink: () => ({ call: ({ localName }: { localName: string }, request: never) => server.call(id, localName, request) }),
      events: { emit: (_event: string, approval: Approval) => this.heard.push(approval) },
      problem: (code: string) => this.problems.push(code),
      failed: (error: Error) => this.problems.push(error.message),
    };
    const sessions = { confirmBy: (key: Uint8Array) => Promise.resolve((this.confirmedBy = key)) };
    this.approvals = new DeviceApprovals(device as unknown as Device, sessions as unknown as Sessions);
    server.listeners.push(() => this.approvals.look());
  }

  async hears(stage: Approval['stage'], from = 0): Promise<Approval> {
    for (let tries = 0; tries < 400; tries++) {
      const found = this.heard.slice(from).find((each) => each.stage === stage);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`${this.id} did not hear ${stage}, but ${this.heard.map((each) => each.stage).join()} ${this.problems.join()}`);
  }
}

let server: Server;
let phone: End;
let laptop: End;
let tablet: End;
beforeAll(sodiumReady);
beforeEach(() => {
  server = new Server();
  phone = new End(server, PHONE, false);
  laptop = new End(server, LAPTOP, false);
  tablet = new End(server, TABLET, true);
});
afterEach(() => [phone, laptop, tablet].forEach(({ approvals }) => approvals.close()));

/** Up to where both show a code. */
async function compare(): Promise<{ ofPhone: string; ofTablet: string }> {
  await tablet.approvals.ask('the tablet');
  await phone.hears('asked');
  await phone.approvals.answer(TABLET);
  const [ofPhone, ofTablet] = await Promise.all([phone.hears('compare'), tablet.hears('compare')]);
  return { ofPhone: ofPhone.code!, ofTablet: ofTablet.code! };
}

describe('a new device and an old one', () => {
  it('see the same code, and the key comes over when the user has said so on both', async () => {
    const { ofPhone, ofTablet } = await compare();
    expect(ofPhone).toBe(ofTablet);
    expect(phone.heard[0]).toMatchObject({ device: TABLET, name: 'the tablet', stage: 'asked' });
    await phone.approvals.approve(TABLET, ofTablet);
    await phone.hears('approved');
    expect(tablet.confirmedBy).toBeUndefined();
    await tablet.approvals.approve(TABLET, ofPhone);
    await tablet.hears('approved');
    expect(tablet.confirmedBy).toEqual(seed);
  });

  it('may be told in the other order', async () => {
    const { ofPhone, ofTablet } = await compare();
    await tablet.approvals.approve(TABLET, ofPhone);
    expect(tablet.confirmedBy).toBeUndefined();
    await phone.approvals.approve(TABLET, ofTablet);
    await tablet.hears('approved');
    expect(tablet.confirmedBy).toEqual(seed);
  });

  it('ask once: what is settled is not shown again while the server still names it', async () => {
    const { ofTablet } = await compare();
    await phone.approvals.approve(TABLET, ofTablet);
    await phone.hears('approved');
    phone.approvals.look();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(phone.heard.map(({ stage }) => stage)).toEqual(['asked', 'compare', 'approved']);
  });

  it('give no key for a wrong code, and may look again', async () => {
    const { ofTablet } = await compare();
    const wrong = ofTablet === '00000000' ? '11111111' : '00000000';
    await expect(phone.approvals.approve(TABLET, wrong)).rejects.toMatchObject({ reason: 'wrong-code' });
    await expect(tablet.approvals.approve(TABLET, wrong)).rejects.toMatchObject({ reason: 'wrong-code' });
    expect(server.rows[0]!.messages).toHaveLength(3);
    await phone.approvals.approve(TABLET, ofTablet);
    await tablet.approvals.approve(TABLET, ofTablet);
    expect(tablet.confirmedBy).toEqual(seed);
  });

  it('cannot approve what has no code yet', async () => {
    await tablet.approvals.ask('the tablet');
    await phone.hears('asked');
    for (const end of [phone, tablet]) await expect(end.approvals.approve(TABLET, '')).rejects.toMatchObject({ reason: 'no-approval' });
  });

  it('part when the old one refuses; the new one may ask again', async () => {
    await tablet.approvals.ask('the tablet');
    await phone.hears('asked');
    await phone.approvals.refuse(TABLET);
    await Promise.all([tablet.hears('refused'), phone.hears('refused')]);
    expect(tablet.approvals.all()).toEqual([]);
    const from = phone.heard.length;
    await tablet.approvals.ask('the tablet');
    await phone.hears('asked', from);
  });

  it('begin anew when the new one was started again in the middle', async () => {
    await compare();
    const again = new End(server, TABLET, true);
    const from = phone.heard.length;
    await again.approvals.ask('the tablet');
    await phone.hears('asked', from);
    await phone.approvals.answer(TABLET);
    const [ofPhone, ofTablet] = await Promise.all([phone.hears('compare', from), again.hears('compare')]);
    expect(ofPhone.code).toBe(ofTablet.code);
    again.approvals.close();
  });

  it('are the two that the first answer made: a third device sees that another answers', async () => {
    await compare();
    await laptop.hears('taken');
    await expect(laptop.approvals.answer(TABLET)).rejects.toMatchObject({ code: ErrorCode.APPROVAL_GONE });
    expect(laptop.heard.some(({ stage }) => stage === 'compare')).toBe(false);
  });

  it('say nothing more of what the new one asked when a recovery file has confirmed it', async () => {
    await tablet.approvals.ask('the tablet');
    await phone.hears('asked');
    tablet.session.pending = false;
    tablet.approvals.look();
    server.rows = [];
    phone.approvals.look();
    await phone.hears('ended');
    expect(tablet.approvals.all()).toEqual([]);
    expect(tablet.heard.map(({ stage }) => stage)).toEqual(['asked']);
  });

  it('hear that it took too long, or that the server has forgotten it', async () => {
    await compare();
    server.rows = [];
    tablet.approvals.look();
    phone.approvals.look();
    await Promise.all([tablet.hears('ended'), phone.hears('ended')]);
    await expect(phone.approvals.answer(TABLET)).rejects.toMatchObject({ reason: 'no-approval' });
  });

  it('get there though every event of the server is lost', async () => {
    server.deaf = true;
    await tablet.approvals.ask('the tablet');
    phone.approvals.look();
    await phone.hears('asked');
    await phone.approvals.answer(TABLET);
    for (const end of [tablet, phone]) {
      end.approvals.look();
      await end.hears('compare');
    }
    expect(tablet.approvals.all()[0]!.code).toBe(phone.approvals.all()[0]!.code);
  });
});

describe('a hostile server', () => {
  /** Shows the old devices a commitment to keys of its own, and opens them there. */
  async function swapKeys(identityKey = keyPairOf(seed).publicKey): Promise<void> {
    const own = await Newcomer.start({ account: ACCOUNT, device: TABLET, deviceName: 'the tablet', identityKey });
    let opening: Uint8Array | undefined;
    server.shown = (row, to) => {
      if (to === TABLET) return row;
      if (row.messages.length === 2) opening ??= own.answer(row.messages[1]!).opening;
      const [, answer, , ...rest] = row.messages;
      return { ...row, messages: [own.commitment, ...(answer ? [answer] : []), ...(opening ? [opening] : []), ...rest] };
    };
  }

  it('that puts its own key in the place of the new device’s makes the codes differ', async () => {
    await swapKeys();
    const { ofPhone, ofTablet } = await compare();
    expect(ofPhone).not.toBe(ofTablet);
    await expect(phone.approvals.approve(TABLET, ofTablet)).rejects.toMatchObject({ reason: 'wrong-code' });
    expect(server.rows[0]!.messages).toHaveLength(3);
  });

  it('that opens another key than it showed first is found out by the old device', async () => {
    server.shown = (row, to) => {
      if (to === TABLET || row.messages.length < 3) return row;
      const { nonce } = fromBinary(ApprovalOpeningSchema, row.messages[2]!);
      const opening = toBinary(ApprovalOpeningSchema, create(ApprovalOpeningSchema, { kemKey: randomBytes(32), nonce }));
      return { ...row, messages: [row.messages[0]!, row.messages[1]!, opening] };
    };
    await tablet.approvals.ask('the tablet');
    await phone.hears('asked');
    await phone.approvals.answer(TABLET);
    await phone.hears('broken');
    expect(phone.problems).toContain('approval-broken');
    await tablet.hears('refused');
  });

  it('that changes what was committed to in the middle is taken for a new request', async () => {
    await tablet.approvals.ask('the tablet');
    await phone.hears('asked');
    await phone.approvals.answer(TABLET);
    const from = phone.heard.length;
    const commitment = toBinary(ApprovalCommitmentSchema, create(ApprovalCommitmentSchema, { commitment: randomBytes(32) }));
    server.shown = (row, to) => (to === TABLET ? row : { ...row, messages: [commitment], approver: new Uint8Array(), asked: 9_999n });
    phone.approvals.look();
    expect((await phone.hears('asked', from)).code).toBeUndefined();
  });

  it('gives a new device no account key of its own while the user has not compared', async () => {
    const servers = new Uint8Array(32).fill(5);
    const fooled = new End(server, TABLET, true, keyPairOf(servers).publicKey);
    const accomplice = new End(server, LAPTOP, false);
    await fooled.approvals.ask('the tablet');
    await accomplice.hears('asked');
    await accomplice.approvals.answer(TABLET);
    const ofFooled = (await fooled.hears('compare')).code!;
    const ofLaptop = (await accomplice.hears('compare')).code!;
    expect(ofFooled).not.toBe(ofLaptop);
    await accomplice.approvals.approve(TABLET, ofLaptop);
    fooled.approvals.look();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(fooled.confirmedBy).toBeUndefined();
    await expect(fooled.approvals.approve(TABLET, ofLaptop)).rejects.toBeInstanceOf(ClientError);
    for (const { approvals } of [fooled, accomplice]) approvals.close();
  });
});
