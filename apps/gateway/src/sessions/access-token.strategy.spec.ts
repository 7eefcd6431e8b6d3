import 'reflect-metadata';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RpcError } from '@sotto/platform/rpc';
import { ErrorCode } from '@sotto/protocol';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { randomBytes } from 'node:crypto';
import type { GatewayCertificateHolder } from '../certificates/gateway-certificate.js';
import { AccessTokenStrategy } from './access-token.strategy.js';

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

const SERVER = 'sotto.test';
const ALICE = 'a1'.repeat(16);
const PHONE = 'b2'.repeat(16);
const now = () => Math.floor(Date.now() / 1_000);

describe('an access token at the gateway', () => {
  const binding = randomBytes(32);
  let auth: Keys;
  let tokens: AccessTokenStrategy;

  beforeAll(async () => {
    auth = await generateKeyPair('EdDSA', { extractable: true });
    tokens = gatewayOf(SERVER, auth);
  });

  function gatewayOf(server: string, { publicKey }: Keys): AccessTokenStrategy {
    return new AccessTokenStrategy({ tokenKey: publicKey, server } as GatewayCertificateHolder);
  }

  function payload(more: JWTPayload = {}): JWTPayload {
    const cnf = binding.toString('base64url');
    return { iss: SERVER, sub: ALICE, dev: PHONE, pen: false, cnf, iat: now(), exp: now() + 300, ...more };
  }

  const signed = (more: JWTPayload = {}, key = auth.privateKey) =>
    new SignJWT(payload(more)).setProtectedHeader({ alg: 'EdDSA' }).sign(key);

  it('that auth issued for this connection makes its session', async () => {
    const session = await tokens.check({ accessToken: await signed(), binding });
    expect(session).toMatchObject({ account: ALICE, device: PHONE, pending: false, route: undefined });
    expect(Buffer.from(session.deviceBytes).toString('hex')).toBe(PHONE);
    expect((await tokens.check({ accessToken: await signed({ pen: true }), binding })).pending).toBe(true);
  });

  it('is refused with one error, whatever is wrong with it', async () => {
    const good = await signed();
    const [head, body, signature] = good.split('.') as [string, string, string];
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const publicBytes = Buffer.from((await exportJWK(auth.publicKey)).x!, 'base64url');
    const rsa = await generateKeyPair('RS256');
    const refused: Record<string, string> = {
      'of another algorithm': await new SignJWT(payload()).setProtectedHeader({ alg: 'RS256' }).sign(rsa.privateKey),
      'by the public key as a secret': await new SignJWT(payload()).setProtectedHeader({ alg: 'HS256' }).sign(publicBytes),
      'without a signature': `${encoded({ alg: 'none' })}.${body}.`,
      expired: await signed({ exp: now() - 1 }),
      'that never expires': await signed({ exp: undefined }),
      'of another issuer': await signed({ iss: 'elsewhere.test' }),
      'of no issuer': await signed({ iss: undefined }),
      'by another key': await signed({}, (await generateKeyPair('EdDSA')).privateKey),
      'with another account in it': `${head}.${encoded(payload({ sub: 'c3'.repeat(16) }))}.${signature}`,
      'with a changed signature': `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      'for another connection': await signed({ cnf: randomBytes(32).toString('base64url') }),
      'for no connection': await signed({ cnf: undefined }),
      'of a device that can be none': await signed({ dev: 'phone' }),
      'that is no token': 'not.a.token',
      'that is empty': '',
    };
    const errors = new Map<string, unknown>();
    for (const [what, accessToken] of Object.entries(refused)) {
      const error = await tokens.check({ accessToken, binding }).catch((reason: RpcError) => reason);
      const { code, text, retryAfterMs } = error as RpcError;
      errors.set(what, { code, text, retryAfterMs });
    }
    const text = 'The access token is not valid on this connection: resume or log in again.';
    for (const [what, error] of errors)
      expect([what, error]).toEqual([what, { code: ErrorCode.CREDENTIAL_INVALID, text, retryAfterMs: 0 }]);
  });

  it('is checked by the gateway that is asked, when a process holds several', async () => {
    const elsewhere = await generateKeyPair('EdDSA');
    const other = gatewayOf('elsewhere.test', elsewhere);
    await expect(tokens.check({ accessToken: await signed(), binding })).resolves.toBeDefined();
    await expect(other.check({ accessToken: await signed(), binding })).rejects.toMatchObject({ code: ErrorCode.CREDENTIAL_INVALID });
    const theirs = await signed({ iss: 'elsewhere.test' }, elsewhere.privateKey);
    await expect(other.check({ accessToken: theirs, binding })).resolves.toBeDefined();
  });
});
