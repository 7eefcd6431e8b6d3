/** What the bench tells its load process, and what comes back. */
export interface LoadSettings {
  kind: 'sotto' | 'fan-out' | 'bare' | 'idle' | 'storm';
  url: string;
  /** Hex; empty for the bare relay. */
  pin: string;
  /** Of a fan-out: the members that every message goes to. Of idle connections and a storm: how many. */
  pairs: number;
  /** Messages of a sender on their way at once; of all senders of a fan-out together. */
  window: number;
  /** Of a fan-out. */
  senders?: number;
  /** Payload bytes. */
  size: number;
  /** Messages a second of all pairs, whatever comes back; undefined: as many as their windows let through. */
  rate?: number;
  /** With a rate: so many messages of a pair leave at once, and the next so much later; undefined: one by one. */
  burst?: number;
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

/** How a storm of log-ins went. */
export interface StormResult {
  /** Until the last was logged in. */
  seconds: number;
  failures: number;
}
