import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { CertificateBodySchema, ErrorCode, KEY_BYTES, signedBytes, TIMES, toHex } from '@sotto/protocol';
import {
  type CertifyRequest,
  type CertifyResponseSchema,
  type CheckSessionsRequest,
  type CheckSessionsResponseSchema,
  Gateways,
  type SessionRef,
} from '@sotto/protocol/internal';
import { Rpc, type RpcCaller, RpcError } from '@sotto/platform/rpc';
import { type Account, ACCOUNTS_STORE, type AccountsStore } from '../accounts/accounts.store.js';
import { AUTH_CONFIG, type AuthConfig, SERVER_IDENTITY } from '../auth.config.js';
import { signEd25519 } from '../identity/ed25519.js';
import type { ServerIdentity } from '../identity/server-identity.js';
import { isSessionOver } from '../sessions/session-state.js';
import { unixNow } from '../sessions/unix-now.js';

/** Clocks of clients that are a little behind. */
const CLOCK_SKEW_SECONDS = 300;

@Controller()
export class GatewaysController {
  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    @Inject(SERVER_IDENTITY) private readonly identity: ServerIdentity,
    @Inject(ACCOUNTS_STORE) private readonly accounts: AccountsStore,
  ) {}

  @Rpc(Gateways.method.certify)
  certify(@Payload() request: CertifyRequest, @Ctx() _caller: RpcCaller): Promise<MessageInitShape<typeof CertifyResponseSchema>> {
    if (request.gatewayKey.length !== KEY_BYTES) throw new RpcError(ErrorCode.MALFORMED, 'A gateway key has 32 bytes.');
    const notBefore = unixNow() - CLOCK_SKEW_SECONDS;
    const body = toBinary(
      CertificateBodySchema,
      create(CertificateBodySchema, {
        gatewayKey: request.gatewayKey,
        identityKey: this.identity.identity.publicKey,
        notBefore: BigInt(notBefore),
        notAfter: BigInt(notBefore + TIMES.certificateSeconds),
      }),
    );
    const signature = signEd25519(this.identity.identity, signedBytes('gatewayCertificate', body));
    return Promise.resolve({
      certificate: { body, signature },
      tokenKey: this.identity.tokenKey.publicKey,
      server: this.config.serverName,
    });
  }

  @Rpc(Gateways.method.checkSessions)
  async checkSessions(
    @Payload() request: CheckSessionsRequest,
    @Ctx() _caller: RpcCaller,
  ): Promise<MessageInitShape<typeof CheckSessionsResponseSchema>> {
    const ids = [...new Set(request.sessions.map((session) => toHex(session.account)))];
    const accounts = new Map((await this.accounts.findByIds(ids)).map((account) => [account.id, account]));
    return { over: request.sessions.filter((session) => isOver(session, accounts.get(toHex(session.account)))) };
  }
}

function isOver(session: SessionRef, account: Account | undefined): boolean {
  return account === undefined || isSessionOver(account, { device: toHex(session.device), since: Number(session.since) });
}
