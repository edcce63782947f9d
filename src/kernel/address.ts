import type { EventObject } from 'xstate';
import { kernelError } from './kernel-errors.js';

declare const addressBrand: unique symbol;

/** The stable name of an actor, over restarts and one day over machines: `sessions`, `dispatch/d-17`. */
export type Address = string & { readonly [addressBrand]: true };

declare const acceptedBrand: unique symbol;

/**
 * The address of an actor whose events are known: what doesn't fit it can't be sent to it, and so an event that needs
 * permission not without its caller.
 *
 * @example
 * const jobAddress = (id: string) => address('job', id) as AddressOf<JobEvent>;
 */
export type AddressOf<E extends EventObject> = Address & { readonly [acceptedBrand]: (event: E) => void };

/** What may be sent to an address: any event, where its type doesn't say. */
export type EventOf<A extends Address> = A extends AddressOf<infer E> ? E : EventObject;

const kindPattern = /^[a-z][a-z0-9-]{0,63}$/;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:#-]{0,127}$/;

/**
 * Builds an address from its kind and, for one of many, its name.
 *
 * @throws AppError `kernel.bad_address` when a part does not match its strict pattern.
 * @example
 * address('sessions'); // 'sessions'
 * address('session', 'MFZWK'); // 'session/MFZWK'
 */
export function address(kind: string, name?: string): Address {
  if (!kindPattern.test(kind)) throw badAddress('kind', kind, kindPattern);
  if (name === undefined) return kind as Address;
  if (!namePattern.test(name)) throw badAddress('name', name, namePattern);
  return `${kind}/${name}` as Address;
}

/**
 * Reads an address that a person or a peer wrote.
 *
 * @throws AppError `kernel.bad_address` when a part does not match its strict pattern.
 */
export function parseAddress(text: string): Address {
  const slash = text.indexOf('/');
  return slash === -1 ? address(text) : address(text.slice(0, slash), text.slice(slash + 1));
}

/** The part before the slash: what sort of actor it is. */
export function addressKind(of: Address): string {
  const slash = of.indexOf('/');
  return slash === -1 ? of : of.slice(0, slash);
}

function badAddress(part: 'kind' | 'name', value: string, pattern: RegExp) {
  return kernelError('bad_address', `The ${part} of an address is '${value.slice(0, 80)}'`, {
    hint: `It must match ${pattern.source}`,
    fields: [{ field: part, message: `must match ${pattern.source}` }],
  });
}
