import { Approvals, type Approval as WireApproval, fromHex, type Frame, toHex } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import type { Device } from '../device.js';
import type { Account, Sessions } from '../session/sessions.js';
import { keyPairOf } from '../sodium.js';
import type { Approval, ApprovalStage } from './approval.js';
import { Approver, isSameCode, Newcomer } from './approval-exchange.js';

/** An event of the server may be lost: while something is open, both ends also look by themselves. */
const LOOK_EVERY_MS = 5_000;

/** What the user compares, once both ends are there; and which of the two this device is. */
type Exchange = { readonly approver: Approver } | { readonly newcomer: Newcomer };

interface Open {
  approval: Approval;
  expiresAt: number;
  exchange?: Exchange;
  /** The user has seen the same code on both. */
  compared?: boolean;
}

const isFinal = (stage: ApprovalStage) => stage !== 'asked' && stage !== 'compare' && stage !== 'taken';

/**
 * How a new device of the account is let in by an old one (docs/protocol.md § Approval). The new one asks, the old one answers, both show a code,
 * and the user compares it and says so on both. Nothing of an exchange is stored: a device that was restarted asks or answers anew.
 */
export class DeviceApprovals {
  readonly #open = new Map<string, Open>();
  /** Devices whose approval is over for this device while the server still names it, and when they had asked. */
  readonly #settled = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly device: Device,
    private readonly sessions: Sessions,
  ) {}

  /** What is open, oldest first: on a pending device its own, on others whatever waits. */
  all(): Approval[] {
    return [...this.#open.values()].map(({ approval }) => approval).sort((a, b) => a.askedAt - b.askedAt);
  }

  /** On a pending device: asks the others to let it in, or asks anew. `deviceName` is shown there, and seen by the server. */
  ask(deviceName: string): Promise<void> {
    return this.#inTurn(async () => {
      const { session } = this.device.signedIn();
      const { account, device, identityKey } = session;
      const newcomer = await Newcomer.start({ account, device, deviceName, identityKey });
      const link = this.device.requireLink();
      const { lifetime } = await link.call(Approvals.method.ask, { deviceName, message: newcomer.commitment });
      const now = Date.now();
      const approval = { device, name: deviceName, askedAt: now, stage: 'asked' } as const;
      this.#open.set(device, { approval, expiresAt: now + lifetime * 1_000, exchange: { newcomer } });
      this.#tell(approval);
      this.#lookLater();
    });
  }

  /** On a confirmed device: takes up what a new one asks; the code follows as an event. The first of the account's devices to answer is the one. */
  answer(device: string): Promise<void> {
    return this.#inTurn(async () => {
      const row = (await this.#refresh()).find((each) => toHex(each.device) === device);
      const open = this.#open.get(device);
      if (row === undefined || open === undefined) throw noApproval();
      const { session, secrets } = this.device.signedIn();
      if (secrets.identitySeed === undefined) throw new ClientError('no-approval', "this device does not hold the account's identity key");
      const identityKey = keyPairOf(secrets.identitySeed).publicKey;
      const context = { account: session.account, device, deviceName: row.deviceName, identityKey };
      const approver = new Approver(context, row.messages[0]!);
      await this.#append(device, 1, approver.answer);
      open.exchange = { approver };
    });
  }

  /**
   * The user saw the same code on both devices. On the old device this seals the account key for the new one; on the new one it lets that key in.
   * Throws ClientError `wrong-code` when `code` is not what this device shows: then somebody is between them, or the user compared another device.
   */
  approve(device: string, code: string): Promise<Account | undefined> {
    return this.#inTurn(async () => {
      const open = this.#open.get(device);
      if (open?.approval.code === undefined || open.exchange === undefined) throw noApproval();
      if (!isSameCode(open.approval.code, code)) {
        throw new ClientError(
          'wrong-code',
          'the codes differ: look again, and refuse if they really do, for then somebody is between your devices',
        );
      }
      open.compared = true;
      if ('newcomer' in open.exchange) return this.#letIn(open, open.exchange.newcomer, await this.#row(device));
      await this.#append(device, 3, await open.exchange.approver.seal(this.device.signedIn().secrets.identitySeed!));
      this.#becomes(open, 'approved');
      return undefined;
    });
  }

  /** On a confirmed device: the new one is told no. On a pending one: it takes back what it asked. */
  refuse(device: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.device.requireLink().call(Approvals.method.refuse, { device: fromHex(device) });
      const open = this.#open.get(device);
      if (open !== undefined) this.#becomes(open, 'refused');
    });
  }

  /** What the server hints at. */
  hear(frames: readonly Frame[]): void {
    if (frames.some(({ kind }) => kind.case === 'event' && kind.value.kind.case === 'devicesChanged')) this.look();
  }

  /** Fetches what waits, and goes on with it. */
  look(): void {
    if (this.device.session === undefined || this.device.closed) return;
    void this.#inTurn(() => this.#refresh()).catch((error: unknown) => this.device.failed(error));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #refresh(): Promise<WireApproval[]> {
    const rows = await this.#rows();
    const { session } = this.device.signedIn();
    if (!session.pending) this.#waitNoMore();
    for (const row of rows) {
      if (session.pending) await this.#followOwn(row);
      else if (toHex(row.device) !== session.device) await this.#followOther(row);
    }
    const there = new Set(rows.map((row) => toHex(row.device)));
    for (const device of this.#settled.keys()) if (!there.has(device)) this.#settled.delete(device);
    for (const open of [...this.#open.values()]) {
      if (!there.has(open.approval.device)) this.#becomes(open, Date.now() >= open.expiresAt ? 'expired' : 'ended');
    }
    this.#lookLater();
    return rows;
  }

  /** Confirmed by other means: what this device asked is of no interest any more. */
  #waitNoMore(): void {
    for (const [device, { exchange }] of this.#open) if (exchange !== undefined && 'newcomer' in exchange) this.#open.delete(device);
  }

  async #rows(): Promise<WireApproval[]> {
    return (await this.device.requireLink().call(Approvals.method.list, {})).approvals;
  }

  async #row(device: string): Promise<WireApproval> {
    const row = (await this.#rows()).find((each) => toHex(each.device) === device);
    if (row === undefined) throw noApproval();
    return row;
  }

  async #followOwn(row: WireApproval): Promise<void> {
    const open = this.#open.get(toHex(row.device));
    // Asked before this device was started: whoever opens that has gone.
    if (open?.exchange === undefined || !('newcomer' in open.exchange)) return;
    const { newcomer } = open.exchange;
    if (row.refused) return this.#becomes(open, 'refused');
    await this.#orBreaks(open, async () => {
      if (row.messages.length >= 2 && open.approval.code === undefined) {
        const { opening, code } = newcomer.answer(row.messages[1]!);
        await this.#append(open.approval.device, 2, opening);
        this.#becomes(open, 'compare', code);
      }
      if (open.compared === true) await this.#letIn(open, newcomer, row);
    });
  }

  async #followOther(row: WireApproval): Promise<void> {
    const device = toHex(row.device);
    const known = this.#open.get(device);
    const open = known !== undefined && !isAskedAnew(known, row) ? known : this.#notice(row);
    if (open === undefined) return;
    if (row.refused) return this.#becomes(open, 'refused');
    const { exchange } = open;
    const answeredElsewhere = row.approver.length > 0 && toHex(row.approver) !== this.device.session?.device;
    if (answeredElsewhere && open.approval.stage === 'asked') this.#becomes(open, 'taken');
    if (exchange === undefined || !('approver' in exchange) || row.messages.length < 3 || open.approval.code !== undefined) return;
    await this.#orBreaks(open, async () => this.#becomes(open, 'compare', exchange.approver.open(row.messages[2]!)));
  }

  #notice(row: WireApproval): Open | undefined {
    const { deviceName: name, asked, expires, refused } = row;
    const device = toHex(row.device);
    const askedAt = Number(asked) * 1_000;
    if (refused || this.#settled.get(device) === askedAt) return undefined;
    const approval = { device, name, askedAt, stage: 'asked' } as const;
    const open: Open = { approval, expiresAt: Date.now() + Number(expires - asked) * 1_000 };
    this.#open.set(device, open);
    this.#tell(approval);
    return open;
  }

  /** Once the old device has sealed the key and the user has compared the codes here as well. */
  async #letIn(open: Open, newcomer: Newcomer, row: WireApproval): Promise<Account | undefined> {
    const sealed = row.messages[3];
    if (sealed === undefined) return undefined;
    const seed = await this.#orBreaks(open, () => newcomer.open(sealed));
    if (seed === undefined) return undefined;
    const account = await this.sessions.confirmBy(seed, 'brought');
    this.#becomes(open, 'approved');
    return account;
  }

  /** What the other end, or somebody between, did wrong ends the exchange on both. */
  async #orBreaks<T>(open: Open, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ClientError) || error.reason !== 'approval-broken') throw error;
      this.device.problem('approval-broken', error.message);
      this.#becomes(open, 'broken');
      const device = fromHex(open.approval.device);
      await this.device.requireLink().call(Approvals.method.refuse, { device });
      return undefined;
    }
  }

  async #append(device: string, position: number, message: Uint8Array): Promise<void> {
    await this.device.requireLink().call(Approvals.method.append, { device: fromHex(device), position, message });
  }

  #becomes(open: Open, stage: ApprovalStage, code = open.approval.code): void {
    open.approval = { ...open.approval, stage, ...(code === undefined ? {} : { code }) };
    const { device, askedAt } = open.approval;
    if (isFinal(stage) && this.#open.delete(device)) this.#settled.set(device, askedAt);
    this.#tell(open.approval);
  }

  #tell(approval: Approval): void {
    this.device.events.emit('approval', approval);
  }

  #lookLater(): void {
    clearTimeout(this.#timer);
    if (this.#open.size > 0 && !this.device.closed) this.#timer = setTimeout(() => this.look(), LOOK_EVERY_MS);
  }
}

/** What we answered is no more what stands there. */
function isAskedAnew({ approval, exchange }: Open, row: WireApproval): boolean {
  if (exchange !== undefined && 'approver' in exchange)
    return toHex(exchange.approver.commitment) !== toHex(row.messages[0] ?? new Uint8Array());
  return approval.askedAt !== Number(row.asked) * 1_000;
}

function noApproval(): ClientError {
  return new ClientError('no-approval', 'no device waits, or it has not shown its code yet');
}
