/**
 * What the operator must hear of; the rest of the log is for service deployments.
 * @param describe an error as it may be shown: its message may quote somebody
 */
export function operatorLog(err: (line: string) => void, describe: (error: Error) => string) {
  const say = (level: string) => (message: unknown) => {
    const text = message instanceof Error ? describe(message) : message;
    // What stops the start is told by whoever started it.
    if (typeof text === 'string' && !text.includes("can't open")) err(`${level}: ${text}`);
  };
  return {
    log: () => undefined,
    debug: () => undefined,
    verbose: () => undefined,
    warn: say('warning'),
    error: say('error'),
    fatal: say('fatal'),
  };
}
