export interface NatsUser {
  name: string;
  /** Subjects that it may publish to and subscribe to; wildcards as NATS reads them. */
  publish: string[];
  subscribe: string[];
}

export const NATS_USERS: readonly NatsUser[];

/** nats-server's configuration; passwords by user name, the monitoring pages at "host:port". */
export function natsConfig(passwords: Readonly<Record<string, string>>, monitoring?: string): string;
