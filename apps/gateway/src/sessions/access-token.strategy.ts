import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { RpcError } from '@sotto/platform/rpc';
import { ErrorCode } from '@sotto/protocol';
import { jwtVerify } from 'jose';
import passport from 'passport';
import { Strategy } from 'passport-custom';
import * as z from 'zod';
import { GatewayCertificateHolder } from '../certificates/gateway-certificate.js';
import { AttachedSession } from './attached-session.js';

const NAME = 'jwt';

/** What Passport sees of an Attach. */
interface AttachAttempt {
  accessToken: string;
  /** Of the connection that attaches. */
  binding: Uint8Array;
}

/** What auth puts into an access token. */
const claims = z.object({
  sub: z.string().regex(/^[0-9a-f]{32}$/),
  dev: z.string().regex(/^[0-9a-f]{32}$/),
  pen: z.boolean(),
  /** Channel binding, base64url: the token is of no use on another connection. */
  cnf: z.string(),
  iat: z.number(),
});

/** Passport's JWT strategy for EdDSA: checks an access token without a call (docs/decisions/access-token-bound-to-channel.md), by the key that came with the gateway's certificate. */
@Injectable()
export class AccessTokenStrategy extends PassportStrategy(Strategy, NAME) {
  /** Passport's own instance knows one strategy a name; a process may hold several gateways. */
  declare private authenticator: passport.Authenticator;

  constructor(private readonly certificate: GatewayCertificateHolder) {
    super();
  }

  /** Throws RpcError CREDENTIAL_INVALID: the same whatever is wrong with the token. */
  check(attempt: AttachAttempt): Promise<AttachedSession> {
    return new Promise((resolve, reject) => {
      const answer = (error: unknown, session?: AttachedSession | false | null) =>
        session ? resolve(session) : reject(error instanceof Error ? error : invalid());
      const authenticate = this.authenticator.authenticate(NAME, { session: false }, answer) as (...parts: unknown[]) => void;
      authenticate({ ...attempt }, {}, reject);
    });
  }

  async validate({ accessToken, binding }: AttachAttempt): Promise<AttachedSession | false> {
    const { tokenKey, server } = this.certificate;
    const options = { algorithms: ['EdDSA'], issuer: server, requiredClaims: ['exp'] };
    const verified = await jwtVerify(accessToken, tokenKey, options).catch(() => undefined);
    const payload = claims.safeParse(verified?.payload).data;
    if (payload?.cnf !== Buffer.from(binding).toString('base64url')) return false;
    const { sub: account, dev: device, pen: pending, iat: since } = payload;
    return new AttachedSession(account, device, pending, since);
  }

  protected getPassportInstance(): passport.Authenticator {
    return (this.authenticator ??= new passport.Passport());
  }
}

function invalid(): RpcError {
  return new RpcError(ErrorCode.CREDENTIAL_INVALID, 'The access token is not valid on this connection: resume or log in again.');
}
