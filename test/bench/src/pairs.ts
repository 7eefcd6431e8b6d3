import type { LoadSettings } from './load-settings.js';

/** Senders, each with a recipient of its own that answers every message. */
export interface Pairs {
  /** One a pair: sends its next message, with a tag (uint32) that comes back with the answer. */
  readonly senders: readonly ((tag: number) => void)[];
  readonly isOpen: boolean;
  /** What has crossed their connections so far, both ways. */
  traffic(): Traffic;
}

export interface Traffic {
  frames: number;
  boxes: number;
}

/** What has come of message `tag` of a pair. */
export type Answered = (pair: number, tag: number, isDelivered: boolean) => void;

export type ConnectPairs = (settings: LoadSettings, answered: Answered) => Promise<Pairs>;
