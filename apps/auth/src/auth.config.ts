import { availableParallelism } from 'node:os';
import { NAME_PATTERN } from '@sotto/protocol';
import * as z from 'zod';
import type { Argon2Cost } from './accounts/password-hasher.js';
import { seedOf, seedVariable } from './identity/seed-variable.js';
import { type ServerIdentity, serverIdentityOf } from './identity/server-identity.js';

export type RegistrationPolicy = 'open' | 'invite' | 'closed';

export interface AuthConfig {
  /** Part of what MLS credentials name. */
  serverName: string;
  registration: RegistrationPolicy;
  invitesBy: 'admin' | 'members';
  /** Of an invite that names none. Seconds. */
  inviteLifetimeSeconds: number;
  argon2: Argon2Cost;
  /** Password checks at once, and the most that wait for one. */
  passwordChecks: { running: number; waiting: number };
  identity: ServerIdentity;
}

export const DEFAULT_AUTH_CONFIG: Omit<AuthConfig, 'serverName' | 'identity'> = {
  registration: 'invite',
  invitesBy: 'members',
  inviteLifetimeSeconds: 7 * 24 * 3_600,
  // OWASP: 19 MiB, 2 passes, 1 lane is the least.
  argon2: { memoryKib: 19_456, passes: 2, lanes: 1 },
  // A core is left for messages, where there are two.
  passwordChecks: { running: availableParallelism() > 2 ? 2 : 1, waiting: 200 },
};

const count = (least: number, preset: number) => z.coerce.number().int().min(least).default(preset);

/** Environment of auth. */
export const authConfigSchema = z.object({
  SERVER_NAME: z.string().min(1).max(253),
  REGISTRATION: z.enum(['open', 'invite', 'closed']).default(DEFAULT_AUTH_CONFIG.registration),
  INVITES_BY: z.enum(['admin', 'members']).default(DEFAULT_AUTH_CONFIG.invitesBy),
  INVITE_LIFETIME: count(60, DEFAULT_AUTH_CONFIG.inviteLifetimeSeconds),
  SERVER_IDENTITY_FILE: seedVariable(),
  TOKEN_KEY_FILE: seedVariable().optional(),
  ARGON2_MEMORY_KIB: count(19_456, DEFAULT_AUTH_CONFIG.argon2.memoryKib),
  ARGON2_PASSES: count(2, DEFAULT_AUTH_CONFIG.argon2.passes),
  ARGON2_LANES: count(1, DEFAULT_AUTH_CONFIG.argon2.lanes),
  ARGON2_CONCURRENCY: count(1, DEFAULT_AUTH_CONFIG.passwordChecks.running),
  ARGON2_QUEUE: count(1, DEFAULT_AUTH_CONFIG.passwordChecks.waiting),
});

export function authConfig(env: z.infer<typeof authConfigSchema>): AuthConfig {
  const tokenSeed = env.TOKEN_KEY_FILE === undefined ? undefined : seedOf(env.TOKEN_KEY_FILE);
  return {
    serverName: env.SERVER_NAME,
    registration: env.REGISTRATION,
    invitesBy: env.INVITES_BY,
    inviteLifetimeSeconds: env.INVITE_LIFETIME,
    argon2: { memoryKib: env.ARGON2_MEMORY_KIB, passes: env.ARGON2_PASSES, lanes: env.ARGON2_LANES },
    passwordChecks: { running: env.ARGON2_CONCURRENCY, waiting: env.ARGON2_QUEUE },
    identity: serverIdentityOf(seedOf(env.SERVER_IDENTITY_FILE), tokenSeed),
  };
}

/** Whether an invite may carry this name. */
export function isInviteName(name: string): boolean {
  return name === '' || NAME_PATTERN.test(name);
}

export const AUTH_CONFIG = Symbol('AUTH_CONFIG');
export const SERVER_IDENTITY = Symbol('SERVER_IDENTITY');
