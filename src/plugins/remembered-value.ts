import canonicalize from 'canonicalize';
import { parseDuration } from '../kernel/duration.js';
import type { Mediation, Remember } from './descriptor.js';
import { pointerSteps } from './json-pointer.js';
import { rememberDefault } from './manifest-schema.js';

/** What of one input a yes may be remembered for. */
export interface RememberedValue {
  readonly by: Remember['by'];
  /** The exact text that a later input has to come to: a web origin, or the value in its canonical form (RFC 8785). */
  readonly value: string;
  /** For how long at most, milliseconds. */
  readonly mostMs: number;
}

/** The most characters of a value: what nobody can read at a glance, nobody can allow for later. */
const mostCharacters = 1_024;

/**
 * What a yes to this input may be remembered for; undefined when the capability lets nothing be remembered, or this input
 * has no such value: it is left out, is no address of the web, or is too long.
 *
 * @param input valid by the schema of the capability
 * @example
 * rememberedValue({ mode: 'local', remember: { pointer: '/url', by: 'origin' } }, { url: 'https://EXAMPLE.com/a?b' });
 * // { by: 'origin', value: 'https://example.com', mostMs: 3600000 }
 */
export function rememberedValue({ remember }: Mediation, input: unknown): RememberedValue | undefined {
  if (remember === undefined) return undefined;
  const { pointer, by, for: most = rememberDefault } = remember;
  const found = valueAt(input, pointer);
  const value = by === 'origin' ? originOf(found) : found === undefined ? undefined : canonicalize(found);
  if (value === undefined || value.length > mostCharacters) return undefined;
  return { by, value, mostMs: parseDuration(most, '/mediation/remember/for') };
}

/** What a JSON pointer (RFC 6901) leads to; undefined when it leads nowhere. */
function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const step of pointerSteps(pointer)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    // A list has elements by number and nothing else by name.
    if (Array.isArray(value) && !/^(0|[1-9][0-9]*)$/.test(step)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}

/** Scheme, host and port as browsers read them. Only of the web: what `blob:` and its like say of an origin is another's. */
function originOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const { protocol, origin } = new URL(value);
  return protocol === 'http:' || protocol === 'https:' ? origin : undefined;
}
