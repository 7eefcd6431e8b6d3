import { fromBinary } from '@bufbuild/protobuf';
import { decodeGroupData, type GroupData, type Member, MlsError } from '@sotto/mls';
import { EnvelopeSchema, Outcome } from '@sotto/protocol';
import type { Step } from '../groups/group-ports.js';
import type { Joining, Welcomed } from './joining.js';
import type { MessengerPorts } from './messenger-ports.js';

const MOST_INVITATIONS = 50;

/** A Welcome of somebody who is no contact, until the user decides. */
export interface Invitation {
  readonly payload: Uint8Array;
  /** Who sent it. */
  readonly account: string;
  readonly at: number;
}

/** Which Welcomes are followed without asking the user, and those that wait for an answer. */
export class Invitations {
  constructor(
    private readonly ports: MessengerPorts,
    private readonly joining: Joining,
    /** By group, oldest first. */
    private readonly waiting: Map<string, Invitation>,
  ) {}

  has(group: string): boolean {
    return this.waiting.has(group);
  }

  /**
   * Without asking the user a device follows its own account and contacts, into a direct conversation the other end alone. A member who is
   * no contact may finish what a contact began: only a contact can have claimed the key package whose leaf was greeted.
   */
  mayJoin({ by, state, asked }: Welcomed): boolean {
    const members = this.ports.engine.members(state);
    const hasContact = () => members.some((each) => each.identity.account !== this.ports.own.account && this.#trusts(each));
    if (!this.#trusts(by) && !(asked && hasContact())) return false;
    const data = this.dataOf(state);
    return (data.kind === 'group' && this.ports.directOnly !== true) || this.#isDirectBetween(data, by, members);
  }

  /** Returns how the Welcome is answered. */
  keep({ group, by, name, state }: Welcomed, payload: Uint8Array, step: Step): Outcome {
    const { kind, accounts } = this.dataOf(state);
    if (kind === 'group' && this.ports.directOnly === true) return Outcome.CANNOT;
    const oldest = this.waiting.keys().next().value;
    if (this.waiting.size >= MOST_INVITATIONS && oldest !== undefined) this.forget(oldest, step);
    const invitation = { payload, account: by.identity.account, at: step.now };
    this.waiting.set(group, invitation);
    step.journal.put('invitations', group, invitation);
    // That of two may be faster than the news that the other is a contact now: it is not shown, and waits for that.
    if (kind === 'direct' && !accounts.includes(this.ports.own.account)) return Outcome.CANNOT;
    if (kind === 'group') this.ports.notify({ kind: 'invited', group, by, name }, step);
    return Outcome.STORED;
  }

  forget(group: string, step: Step): void {
    if (this.waiting.delete(group)) step.journal.remove('invitations', group);
  }

  /** Groups into which the account invited this device. */
  by(account: string): string[] {
    return [...this.waiting].filter(([, invitation]) => invitation.account === account).map(([group]) => group);
  }

  /** undefined: there is none, or it holds no more. */
  async open(group: string): Promise<Welcomed | undefined> {
    const invitation = this.waiting.get(group);
    const kind = invitation && fromBinary(EnvelopeSchema, invitation.payload).kind;
    if (kind?.case !== 'welcome') return undefined;
    try {
      return await this.joining.open(kind.value);
    } catch (error) {
      if (error instanceof MlsError) return undefined;
      throw error;
    }
  }

  /** Of strangers, to groups, oldest first; without those that hold no more. */
  async toGroups(): Promise<Welcomed[]> {
    const opened = await Promise.all([...this.waiting.keys()].map((group) => this.open(group)));
    return opened.filter((each) => each !== undefined).filter(({ state }) => this.dataOf(state).kind === 'group');
  }

  dataOf(state: Welcomed['state']): GroupData {
    return decodeGroupData(this.ports.engine.groupData(state));
  }

  /** Of this account and one other, whose devices are all that is in it: nobody begins a conversation in another's name. */
  #isDirectBetween({ accounts }: GroupData, by: Member, members: readonly Member[]): boolean {
    const { account: own } = this.ports.own;
    const other = accounts.find((each) => each !== own);
    const ends = accounts.includes(own) && other !== undefined && accounts.includes(by.identity.account);
    return ends && members.every((each) => accounts.includes(each.identity.account) && this.#trusts(each));
  }

  #trusts({ identity }: Member): boolean {
    return this.ports.trusts(identity.account, identity.accountKey);
  }
}
