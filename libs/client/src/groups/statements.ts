import { fromHex } from '@sotto/protocol';

function joined(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What a leaf signs that leaves the group, label "leave". */
export function leaveStatementBytes(group: string, leaf: string): Uint8Array {
  return joined(fromHex(group), fromHex(leaf));
}

/** What a device signs that asks to be removed and added again, label "rejoin". */
export function rejoinBytes(group: string, nonce: Uint8Array, keyPackage: Uint8Array): Uint8Array {
  return joined(fromHex(group), nonce, keyPackage);
}
