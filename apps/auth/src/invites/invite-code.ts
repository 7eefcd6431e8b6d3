import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ID_BYTES, type InviteBody, InviteBodySchema } from '@sotto/protocol';

const MAC_BYTES = 16;
const MAX_CODE_LENGTH = 256;

export interface NewInvite {
  /** As in the link. */
  code: string;
  /** Unix seconds. */
  expires: number;
}

function macOf(inviteKey: Uint8Array, body: Uint8Array): Buffer {
  return createHmac('sha256', inviteKey).update(body).digest().subarray(0, MAC_BYTES);
}

/** @param now Unix seconds. @param name the exact name that it carries, or ''. */
export function sealInvite(inviteKey: Uint8Array, invite: { name: string; now: number; lifetimeSeconds: number }): NewInvite {
  const expires = invite.now + invite.lifetimeSeconds;
  const message = create(InviteBodySchema, { id: randomBytes(ID_BYTES), expires: BigInt(expires), name: invite.name });
  const body = toBinary(InviteBodySchema, message);
  return { code: Buffer.concat([body, macOf(inviteKey, body)]).toString('base64url'), expires };
}

/** What an invite says, when it is of this server and not expired; whether it was used is the store's to say. */
export function openInvite(inviteKey: Uint8Array, code: string, now: number): InviteBody | undefined {
  if (code.length > MAX_CODE_LENGTH || !/^[A-Za-z0-9_-]+$/.test(code)) return undefined;
  const bytes = Buffer.from(code, 'base64url');
  // One text per invite: trailing bits that base64url ignores are refused.
  if (bytes.length <= MAC_BYTES || bytes.toString('base64url') !== code) return undefined;
  const body = bytes.subarray(0, -MAC_BYTES);
  if (!timingSafeEqual(bytes.subarray(-MAC_BYTES), macOf(inviteKey, body))) return undefined;
  const invite = fromBinary(InviteBodySchema, body);
  return invite.expires > BigInt(now) ? invite : undefined;
}
