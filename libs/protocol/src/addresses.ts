/** IPv4 as such, also when it arrives mapped into IPv6. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** What counts as one address: of IPv6 the network of 64 bits ("2001:db8:1:2::/64"), of which every customer has at least one; everything else as it is. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('%', 1)[0]!.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  // A dotted quad at the end stands for two groups.
  const missing = after === undefined ? 0 : 8 - head.length - tail.length - (address.includes('.') ? 1 : 0);
  const groups = [...head, ...Array<string>(Math.max(0, missing)).fill('0'), ...tail].slice(0, 4);
  return `${groups.map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** What may be in one hand: of a network by `networkOf` its /48, of IPv4 its /24. */
export function blockOf(network: string): string {
  const separator = network.includes(':') ? ':' : '.';
  return network.split(separator, 3).join(separator);
}
