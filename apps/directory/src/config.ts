import * as z from 'zod';

/** What directory reads from the environment. */
export const directoryConfigSchema = z.object({
  /** Claims of one account on one other in an hour. */
  CLAIMS_PER_CONTACT: z.coerce.number().int().min(1).max(10_000).default(30),
  /** Claims of one account in an hour. */
  CLAIMS_PER_ACCOUNT: z.coerce.number().int().min(1).max(100_000).default(300),
});

export type DirectoryConfig = z.output<typeof directoryConfigSchema>;
