import type { AuthConfig } from '../auth.config.js';
import type { ServerIdentity } from '../identity/server-identity.js';
import { type NewInvite, sealInvite } from './invite-code.js';
import { unixNow } from '../sessions/unix-now.js';

/** An invite made where the identity is at hand (standalone's host command). @param name the exact name that it carries, or ''. */
export function createInviteCode(identity: ServerIdentity, config: Pick<AuthConfig, 'inviteLifetimeSeconds'>, name = ''): NewInvite {
  return sealInvite(identity.inviteKey, { name, now: unixNow(), lifetimeSeconds: config.inviteLifetimeSeconds });
}
