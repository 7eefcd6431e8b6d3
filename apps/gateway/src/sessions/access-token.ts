import { RpcError } from '@sotto/platform/rpc';
import { ErrorCode, fromHex } from '@sotto/protocol';
import { type CryptoKey, jwtVerify, type KeyObject } from 'jose';
import { z } from 'zod';
import type { AttachedSession } from '../connections/connection.js';

/** What auth puts into an access token. */
const claims = z.object({
  sub: z.string().regex(/^[0-9a-f]{32}$/),
  dev: z.string().regex(/^[0-9a-f]{32}$/),
  pen: z.boolean(),
  /** Channel binding, base64url: the token is of no use on another connection. */
  cnf: z.string(),
  iat: z.number(),
});

/** Checks an access token without a call (design 4.2). Throws RpcError CREDENTIAL_INVALID. */
export async function readAccessToken(
  token: string,
  key: CryptoKey | KeyObject | Uint8Array,
  binding: Uint8Array,
): Promise<AttachedSession> {
  const payload = await jwtVerify(token, key, { algorithms: ['EdDSA'] }).then(
    (result) => claims.safeParse(result.payload).data,
    () => undefined,
  );
  if (payload === undefined || payload.cnf !== Buffer.from(binding).toString('base64url')) {
    throw new RpcError(ErrorCode.CREDENTIAL_INVALID, 'The access token is not valid on this connection: resume or log in again.');
  }
  const { sub: account, dev: device, pen: pending, iat: since } = payload;
  return { account, device, accountBytes: fromHex(account), deviceBytes: fromHex(device), pending, since, route: undefined };
}
