/**
 * An error as it may stand in a log: its kind and where it arose, never its message, which can quote what a user typed or sent
 * (database drivers and parsers do).
 */
export function describeError(error: unknown): string {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  return [errorName(error), ...frames.slice(0, 8)].join('\n');
}

/** The kind of an error, in one line: "Error (ECONNREFUSED)". */
export function errorName(error: unknown): string {
  return error instanceof Error ? `${error.name}${errorCode(error)}` : `a thrown ${typeof error}`;
}

/** Driver codes such as P2002 or ECONNREFUSED: short, fixed words. */
function errorCode(error: Error): string {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'number') return ` (${code})`;
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : '';
}
