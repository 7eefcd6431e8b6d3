/** A device that waits. Ids are lower-case hex, times Unix seconds. */
export interface Approval {
  device: string;
  /** What it calls itself. */
  name: string;
  asked: number;
  expires: number;
  /** Opaque. Even positions are of the device that waits, odd ones of the approver. Never empty. */
  messages: Uint8Array[];
  /** The device that answered first; '' while none has. */
  approver: string;
  refused: boolean;
}

export interface ApprovalMessage {
  /** The device that waits. */
  device: string;
  /** The device that writes. */
  from: string;
  /** 1 or more. */
  position: number;
  message: Uint8Array;
}

/**
 * Devices that wait for approval, and what each and its approver say to each other.
 *
 * Guarantees: an account has at most `approvalsPerAccount` at once, each with at most `approvalMessages` messages, and each is gone `approvalSeconds`
 * after it was asked for. A position is written once, over all callers and replicas, and all odd ones by one device. A wipe costs asking again.
 */
export interface ApprovalStore {
  /** Replaces what the device asked before. False: the account has too many. */
  ask(account: string, asked: { device: string; name: string; message: Uint8Array }, now: number): Promise<boolean>;
  /** False: there is none, it was refused, the position is not the next one, or another device answers. */
  append(account: string, message: ApprovalMessage, now: number): Promise<boolean>;
  /** It stays to be seen, and takes no message any more. False: there is none. */
  refuse(account: string, device: string, now: number): Promise<boolean>;
  list(account: string, now: number): Promise<Approval[]>;
  forget(account: string, device: string): Promise<void>;
  forgetAll(account: string): Promise<void>;
}

export const APPROVAL_STORE = Symbol('APPROVAL_STORE');
