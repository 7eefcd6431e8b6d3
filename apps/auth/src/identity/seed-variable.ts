import { Secret, whyUnreadable } from '@sotto/platform/config';
import { fromHex, toHex } from '@sotto/protocol';
import * as z from 'zod';
import { readSeed, SeedFileError } from './seed-file.js';

/** Schema of a variable that names the file of a seed. The file is read when the variable is judged; its digits come out as a secret. */
export function seedVariable() {
  return z.string().transform((file, context) => {
    try {
      return new Secret(toHex(readSeed(file)));
    } catch (error) {
      if (!(error instanceof SeedFileError)) throw error;
      context.addIssue({ code: 'custom', message: `the file that it names ${faultOf(error)}` });
      return z.NEVER;
    }
  });
}

export function seedOf(secret: Secret): Uint8Array {
  return fromHex(secret.reveal());
}

/** What is the matter with the file: "is a folder". */
export function faultOf({ cause }: SeedFileError): string {
  return cause === undefined ? 'does not hold 64 hexadecimal digits' : whyUnreadable(cause);
}
