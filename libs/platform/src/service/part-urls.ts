/** The scheme may be left out. NATS's client drops any other, a user and a password without a word. */
export function isNatsUrls(text: string): boolean {
  return text.split(',').every((one) => {
    const url = parsed(one.includes('://') ? one.trim() : `nats://${one.trim()}`, ['nats:']);
    return url !== undefined && url.hostname !== '' && url.username === '' && url.password === '' && /^\/?$/.test(url.pathname);
  });
}

/** The path is the number of a database. */
export function isRedisUrl(text: string): boolean {
  const url = parsed(text, ['redis:', 'rediss:']);
  return url !== undefined && url.hostname !== '' && /^\/?\d*$/.test(url.pathname);
}

/** Without a host it may name the folder of a socket: `?host=/run/postgresql`. */
export function isDatabaseUrl(text: string): boolean {
  const url = parsed(text, ['postgres:', 'postgresql:']);
  return url !== undefined && (url.hostname !== '' || url.searchParams.has('host'));
}

function parsed(text: string, schemes: readonly string[]): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && schemes.includes(url.protocol) ? url : undefined;
}
