/** What a signature is for: the prefix of every signed byte string, so that none can be taken for another. */
export const SIGNING_CONTEXTS = {
  gatewayCertificate: 'sotto v1 gateway certificate\0',
  identitySuccession: 'sotto v1 identity succession\0',
  serverHello: 'sotto v1 server hello\0',
  register: 'sotto v1 register\0',
  resume: 'sotto v1 resume\0',
  deviceCredential: 'sotto v1 device credential\0',
  confirmDevice: 'sotto v1 confirm device\0',
  deviceIdentity: 'sotto v1 device identity\0',
  peerListener: 'sotto v1 peer listener\0',
  peerDialer: 'sotto v1 peer dialer\0',
} as const;

const encoder = new TextEncoder();

/** The bytes to sign: context, then the parts one after the other (each of fixed length, or the last). */
export function signedBytes(context: keyof typeof SIGNING_CONTEXTS, ...parts: Uint8Array[]): Uint8Array {
  const all = [encoder.encode(SIGNING_CONTEXTS[context]), ...parts];
  const bytes = new Uint8Array(all.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of all) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
