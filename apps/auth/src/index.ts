export { AuthModule } from './auth.module.js';
export { type AuthConfig, authConfig, authConfigSchema, DEFAULT_AUTH_CONFIG, type RegistrationPolicy } from './auth.config.js';
export { SeedFileError } from './identity/seed-file.js';
export { faultOf } from './identity/seed-variable.js';
export { loadOrCreateServerIdentity, loadServerIdentity, type ServerIdentity, serverIdentityOf } from './identity/server-identity.js';
export { createInviteCode } from './invites/create-invite-code.js';
export type { NewInvite } from './invites/invite-code.js';
export { authService } from './as-service.js';
