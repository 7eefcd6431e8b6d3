const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'needs rights that this user does not have: choose one above 1023',
  EADDRNOTAVAIL: 'is no address of this machine',
  ENOTFOUND: 'is a name that is not found',
};

/** What is wrong with a port, or with an address, by the error of who wanted to listen there; undefined when it is another error. */
export function whyNotListening(error: unknown): string | undefined {
  return WHY[(error as NodeJS.ErrnoException).code ?? ''];
}
