import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { DATABASE, type Database } from '@sotto/platform/database';
import { LIVE_STATE, type LiveState } from '@sotto/platform/live-state';
import { AccountLookupController } from './accounts/account-lookup.controller.js';
import { AccountsController } from './accounts/accounts.controller.js';
import { ACCOUNTS_STORE } from './accounts/accounts.store.js';
import { PasswordCheck } from './accounts/password-check.js';
import { PasswordHasher } from './accounts/password-hasher.js';
import { PrismaAccountsStore } from './accounts/prisma-accounts.store.js';
import { Registration } from './accounts/registration.js';
import { APPROVAL_STORE, type ApprovalStore } from './approvals/approval.store.js';
import { ApprovalsController } from './approvals/approvals.controller.js';
import { MemoryApprovalStore } from './approvals/memory-approval.store.js';
import { RedisApprovalStore } from './approvals/redis-approval.store.js';
import { AUTH_CONFIG, type AuthConfig, SERVER_IDENTITY } from './auth.config.js';
import { DEVICE_PLACE_STORE, type DevicePlaceStore } from './device-places/device-place.store.js';
import { DevicePlaces } from './device-places/device-places.js';
import { MemoryDevicePlaceStore } from './device-places/memory-device-place.store.js';
import { RedisDevicePlaceStore } from './device-places/redis-device-place.store.js';
import { GatewaysController } from './gateways/gateways.controller.js';
import type { ServerIdentity } from './identity/server-identity.js';
import { InvitesController } from './invites/invites.controller.js';
import { InviteMaker } from './invites/invites.js';
import { NameLimits } from './limits/name-limits.store.js';
import { WorkLimit } from './limits/work-limit.js';
import { LogInStrategy } from './sessions/log-in.strategy.js';
import { SessionEnder } from './sessions/session-ender.js';
import { SessionIssuer } from './sessions/session-issuer.js';
import { SessionsController } from './sessions/sessions.controller.js';

function approvalStoreOn(live: LiveState): ApprovalStore {
  return live.kind === 'redis' ? new RedisApprovalStore(live.redis) : new MemoryApprovalStore();
}

function devicePlaceStoreOf(live: LiveState): DevicePlaceStore {
  return live.kind === 'redis' ? new RedisDevicePlaceStore(live.redis) : new MemoryDevicePlaceStore();
}

function providersOf(config: AuthConfig): Provider[] {
  const checks = new WorkLimit(config.passwordChecks.running, config.passwordChecks.waiting);
  return [
    { provide: AUTH_CONFIG, useValue: config },
    { provide: SERVER_IDENTITY, useValue: config.identity },
    { provide: ACCOUNTS_STORE, inject: [DATABASE], useFactory: (database: Database) => new PrismaAccountsStore(database.client) },
    { provide: APPROVAL_STORE, inject: [LIVE_STATE], useFactory: approvalStoreOn },
    { provide: PasswordHasher, useFactory: () => PasswordHasher.start(config.argon2, checks) },
    {
      provide: NameLimits,
      inject: [LIVE_STATE, SERVER_IDENTITY],
      useFactory: (state: LiveState, identity: ServerIdentity) => new NameLimits(state, identity.limitKey),
    },
    { provide: DEVICE_PLACE_STORE, inject: [LIVE_STATE], useFactory: devicePlaceStoreOf },
    DevicePlaces,
    InviteMaker,
    PasswordCheck,
    Registration,
    LogInStrategy,
    SessionIssuer,
    SessionEnder,
  ];
}

/** Needs the globals of PlatformModule: bus, live state, database. */
@Module({})
export class AuthModule {
  static forRoot(config: AuthConfig): DynamicModule {
    return {
      module: AuthModule,
      imports: [PassportModule],
      controllers: [
        AccountsController,
        SessionsController,
        ApprovalsController,
        InvitesController,
        AccountLookupController,
        GatewaysController,
      ],
      providers: providersOf(config),
    };
  }
}
