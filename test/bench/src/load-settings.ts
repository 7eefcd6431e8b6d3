/** What the bench tells its load process, and what comes back. */
export interface LoadSettings {
  kind: 'sotto' | 'fan-out' | 'bare' | 'idle';
  url: string;
  /** Hex; empty for the bare relay. */
  pin: string;
  /** Of a fan-out: the members that every message goes to. */
  pairs: number;
  /** Messages of a sender on their way at once. */
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
