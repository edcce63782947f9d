import { isIP } from 'node:net';
import type { AppError } from '../../kernel/errors.js';
import { httpError } from './http-errors.js';

/** What of a request says for whom it is and where it comes from. */
export interface Addressing {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** The address of this machine that the connection reached. */
  readonly localAddress: string | undefined;
  readonly protocol: 'http' | 'https';
}

/**
 * Which requests are meant for this server. A page of another site can make a browser send requests here, under its own
 * name by DNS rebinding; so Host must be a name of this server, and Origin, which browsers add and pages cannot change,
 * must be the server itself.
 */
export class HostAllowlist {
  readonly #names: ReadonlySet<string>;

  /** @param addresses `host` or `host:port` under which the server is reached, beside loopback and the bound address. */
  constructor(addresses: readonly string[]) {
    this.#names = new Set(['localhost', ...addresses.flatMap((address) => hostOf(address) ?? [])]);
  }

  /** @throws AppError `http.foreign_host` or `http.foreign_origin`. */
  check({ host, origin, localAddress, protocol }: Addressing): void {
    const name = host === undefined ? undefined : hostOf(host);
    if (name === undefined || !this.#isOurs(name, localAddress)) throw foreignHost(host);
    if (origin !== undefined && origin.toLowerCase() !== `${protocol}://${host?.toLowerCase()}`) {
      throw httpError('foreign_origin', 'A page of another origin may not use this server', {
        hint: 'Use the console that the daemon serves, or a program that sends no Origin header.',
      });
    }
  }

  #isOurs(name: string, localAddress: string | undefined): boolean {
    if (this.#names.has(name)) return true;
    if (isIP(name) === 0) return false;
    // An address, unlike a name, can't be pointed elsewhere by whoever serves a page.
    return isLoopbackAddress(name) || name === localAddress?.replace(/^::ffff:/, '');
  }
}

function foreignHost(host: string | undefined): AppError {
  const shown = (host ?? '').replace(/[^\x21-\x7e]/g, '').slice(0, 80);
  return httpError('foreign_host', `This server is not called '${shown}'`, {
    hint: 'Use the address that palyrad printed, or add this one to listen.http.advertise in palyra.yaml.',
  });
}

/** The host of `host`, `host:port`, `[v6]` or `[v6]:port`, lower-case and without brackets; undefined when it is none. */
function hostOf(address: string): string | undefined {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?$/i.exec(address);
  const bracketed = parts?.[1];
  if (bracketed !== undefined && isIP(bracketed) !== 6) return undefined;
  return (bracketed ?? parts?.[2])?.toLowerCase();
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}
