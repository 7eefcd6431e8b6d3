export interface NatsUser {
  name: string;
  /** Subjects that it may publish to and subscribe to; wildcards as NATS reads them. */
  publish: string[];
  subscribe: string[];
}

export const NATS_USERS: readonly NatsUser[];

export interface NatsConfigOptions {
  /** "host:port" of the monitoring pages. */
  monitoring?: string;
  /** Files; with them nobody connects without TLS. */
  tls?: { certificate: string; key: string };
}

/** nats-server's configuration; passwords by user name. */
export function natsConfig(passwords: Readonly<Record<string, string>>, options?: NatsConfigOptions): string;
