import { LIMITS, TIMES } from '@sotto/protocol';
import type { Approval, ApprovalMessage, ApprovalStore } from './approval.store.js';

/** ApprovalStore of a single process. */
export class MemoryApprovalStore implements ApprovalStore {
  /** By account, then by device. Accounts stand in the order in which they asked last, so the ones that are over are in front. */
  private readonly accounts = new Map<string, Map<string, Approval>>();

  async ask(account: string, asked: { device: string; name: string; message: Uint8Array }, now: number): Promise<boolean> {
    this.sweep(now);
    const waiting = new Map([...this.of(account)].filter(([, { expires }]) => expires > now));
    const { device, name, message } = asked;
    if (!waiting.has(device) && waiting.size >= LIMITS.approvalsPerAccount) return false;
    const expires = now + TIMES.approvalSeconds;
    waiting.set(device, { device, name, asked: now, expires, messages: [onItsOwn(message)], approver: '', refused: false });
    this.accounts.delete(account);
    this.accounts.set(account, waiting);
    return true;
  }

  async append(account: string, { device, from, position, message }: ApprovalMessage, now: number): Promise<boolean> {
    const approval = this.standing(account, device, now);
    if (approval === undefined || approval.messages.length !== position || position >= LIMITS.approvalMessages) return false;
    const answers = position % 2 === 1;
    if (answers && approval.approver !== '' && approval.approver !== from) return false;
    if (answers) approval.approver = from;
    approval.messages.push(onItsOwn(message));
    return true;
  }

  async refuse(account: string, device: string, now: number): Promise<boolean> {
    const approval = this.standing(account, device, now);
    if (approval === undefined) return false;
    approval.refused = true;
    return true;
  }

  async list(account: string, now: number): Promise<Approval[]> {
    const standing = [...this.of(account).values()].filter(({ expires }) => expires > now);
    return standing.map((approval) => ({ ...approval, messages: [...approval.messages] }));
  }

  async forget(account: string, device: string): Promise<void> {
    this.of(account).delete(device);
  }

  async forgetAll(account: string): Promise<void> {
    this.accounts.delete(account);
  }

  private of(account: string): Map<string, Approval> {
    return this.accounts.get(account) ?? new Map<string, Approval>();
  }

  private standing(account: string, device: string, now: number): Approval | undefined {
    const approval = this.of(account).get(device);
    return approval === undefined || approval.expires <= now || approval.refused ? undefined : approval;
  }

  private sweep(now: number): void {
    for (const [account, waiting] of this.accounts) {
      if ([...waiting.values()].some(({ expires }) => expires > now)) return;
      this.accounts.delete(account);
    }
  }
}

/** What comes with a call is a view into all that came in with it. */
function onItsOwn(message: Uint8Array): Uint8Array {
  return new Uint8Array(message);
}
