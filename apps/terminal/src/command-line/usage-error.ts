/** What was typed cannot be done as typed; the text says what to type. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
