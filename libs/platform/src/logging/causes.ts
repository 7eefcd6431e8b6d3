/** The error, then what caused it, as errors and drivers nest them. */
export function* causesOf(error: unknown): Generator<object> {
  const seen = new Set<unknown>();
  for (let cause = error; isObject(cause) && !seen.has(cause); cause = nextCause(cause)) {
    seen.add(cause);
    yield cause;
  }
}

/** Prisma keeps the error of the driver under it in `meta`. */
function nextCause(error: object): unknown {
  if ('cause' in error && isObject(error.cause)) return error.cause;
  if (!('meta' in error) || !isObject(error.meta)) return undefined;
  return 'driverAdapterError' in error.meta ? error.meta.driverAdapterError : undefined;
}

export function textOf(error: object, key: string): string | undefined {
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'string' ? value : undefined;
}

/** Not `instanceof`: errors of Node's own modules come from another realm under a test runner. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
