import type { ClientState } from '#ts-mls/clientState.js';

/** One epoch of one group as this device sees it. Immutable: every operation returns a new one. Holds secrets, so it does not print. */
export class GroupState {
  readonly #mls: ClientState;

  constructor(mls: ClientState) {
    this.#mls = mls;
  }

  get epoch(): bigint {
    return this.#mls.groupContext.epoch;
  }

  get groupId(): Uint8Array {
    return this.#mls.groupContext.groupId;
  }

  get ownLeaf(): number {
    return this.#mls.privatePath.leafIndex;
  }

  /** Whether this device has been removed: nothing can be sealed or opened any more. */
  get removed(): boolean {
    return this.#mls.groupActiveState.kind === 'removedFromGroup';
  }

  /** RFC 9420 §8.7: equal on two members exactly if they are in the same state of the group. */
  get authenticator(): Uint8Array {
    return this.#mls.keySchedule.epochAuthenticator;
  }

  /** For the engine only: the library's state, secrets included. */
  unsafeInner(): ClientState {
    return this.#mls;
  }

  toJSON(): string {
    return '[GroupState]';
  }
}
