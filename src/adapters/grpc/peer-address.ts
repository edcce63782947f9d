const mapped = /^::ffff:([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)$/i;

/** An IP address as people know it: an IPv4 address that came over an IPv6 socket is an IPv4 address. */
export function plainAddress(address: string): string {
  return mapped.exec(address)?.[1] ?? address;
}

/** What a budget is kept by: an IPv4 address, or the /64 of an IPv6 address. */
export interface BudgetKey {
  readonly key: string;
  readonly family: 4 | 6;
  /** The network around it, which often has one owner: the /24 of an IPv4 address, the /48 of an IPv6 address. */
  readonly network: string;
}

/** @param address an IPv4 or IPv6 address in any valid form, as Node gives it for a socket. */
export function budgetKeyOf(address: string): BudgetKey {
  const plain = plainAddress(address);
  if (!plain.includes(':')) {
    return { key: plain, family: 4, network: `${plain.split('.').slice(0, 3).join('.')}.0/24` };
  }
  const [bare = ''] = plain.split('%');
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const written = left.length + right.length + (right.at(-1)?.includes('.') ? 1 : 0);
  const groups = [...left, ...Array<string>(Math.max(0, 8 - written)).fill('0'), ...right];
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return { key: `${prefix.join(':')}::/64`, family: 6, network: `${prefix.slice(0, 3).join(':')}::/48` };
}
