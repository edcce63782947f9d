import { isIPv4, isIPv6 } from 'node:net';

const shape = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/;
const dnsName =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

export interface NetworkAddress {
  /** A DNS name, or an IPv4 or IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** Reads `host:port` or `[v6]:port`. Undefined when it is neither; all digits and dots must be an IPv4 address. */
export function parseNetworkAddress(text: string): NetworkAddress | undefined {
  const [, v6, name, digits] = shape.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return undefined;
  if (v6 !== undefined) return isIPv6(v6) ? { host: v6, port } : undefined;
  if (name === undefined) return undefined;
  const known = /^[0-9.]+$/.test(name) ? isIPv4(name) : dnsName.test(name);
  return known ? { host: name, port } : undefined;
}
