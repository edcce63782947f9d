import { BlockList, isIP } from 'node:net';

/** A host and a port. An IPv6 address stands without its brackets. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/**
 * Reads `host:port`: a host name, an IPv4 address or an IPv6 address in brackets (RFC 3986), and a port from 0 to 65535.
 * Undefined when it is none.
 *
 * @example parseEndpoint('[::1]:7142') // { host: '::1', port: 7142 }
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (parts === null) return undefined;
  const [, bracketed, plain = '', portText] = parts;
  const port = Number(portText);
  if (port > 65_535) return undefined;
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : undefined;
  // Digits and dots only is an address or a mistake, never a name.
  const valid = /^[\d.]+$/.test(plain) ? isIP(plain) === 4 : hostName.test(plain);
  return valid ? { host: plain, port } : undefined;
}

/** Whether only this machine can reach what listens there: 127.0.0.0/8, ::1 or `localhost` (RFC 6761). */
export function isLoopback({ host }: Endpoint): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
