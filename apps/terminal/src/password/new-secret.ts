import { LIMITS } from '@sotto/protocol/limits';

/** What a new password or passphrase has to have, counted as server and SDK count. */
export const SECRET_RULE = `${LIMITS.passwordMinBytes} bytes or more`;

/** Asks until a new secret is long enough and was typed alike twice. @param ask throws when the user gives up */
export async function askNewSecret(ask: (question: string) => Promise<string>, question: string): Promise<string> {
  for (let before = ''; ;) {
    const secret = await ask(`${before}${question}`);
    const fault = secretFault(secret) ?? ((await ask('Once more: ')) === secret ? undefined : 'The two differ: both once more.');
    if (fault === undefined) return secret;
    before = `${fault}\n`;
  }
}

/** Undefined: it can be taken. */
export function secretFault(secret: string): string | undefined {
  const bytes = Buffer.byteLength(secret);
  if (bytes >= LIMITS.passwordMinBytes) return undefined;
  return `That has ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}, and ${LIMITS.passwordMinBytes} are the least: a letter or a digit has one.`;
}
