// For who has the identity and needs an invite: without the code of a server.
export { loadOrCreateServerIdentity, loadServerIdentity, type ServerIdentity } from '../identity/server-identity.js';
export { createInviteCode } from './create-invite-code.js';
export type { NewInvite } from './invite-code.js';
