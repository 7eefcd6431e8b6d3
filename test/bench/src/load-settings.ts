/** What the bench tells its load process, and what comes back. */
export interface LoadSettings {
  kind: 'sotto' | 'fan-out' | 'bare' | 'idle';
  url: string;
  /** Hex; empty for the bare relay. */
  pin: string;
  /** Of a fan-out: the members that every message goes to. */
  pairs: number;
  /** Messages on their way at once to each recipient: of a pair's sender, or one each of as many senders of a fan-out. */
  window: number;
  /** Payload bytes. */
  size: number;
}

export type LoadCommand = 'go' | 'begin' | 'end' | 'connect';

export interface LoadResult {
  messages: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  /** Frames and boxes that crossed the load's connections, both ways. */
  frames: number;
  boxes: number;
  /** Messages that were refused or came back undelivered. */
  failures: number;
}
