import { parseDuration } from '../kernel/duration.js';
import { nearest } from '../kernel/nearest.js';
import type { Descriptor } from './descriptor.js';
import { descriptorDigest } from './digest.js';
import type { Validator, ValidatorCache } from './validators.js';

/** A capability that can be routed to, ready to check its calls. */
export interface CatalogEntry {
  readonly digest: string;
  readonly descriptor: Descriptor;
  readonly input: Validator;
  readonly output: Validator;
  /** The descriptor's timeout, milliseconds. */
  readonly timeoutMs: number;
}

interface Held extends CatalogEntry {
  readonly owners: Set<string>;
}

/**
 * The descriptors that the daemon routes by, compiled, by their digest: those of its own folders and those that nodes
 * announced and an operator approved. Each is held by one or more owners (`folder`, `surface/<device>`) and goes when the
 * last lets go. A name may stand for several digests, since nodes may run different versions.
 *
 * @example
 * const catalog = new Catalog(new ValidatorCache());
 * const { digest, input } = catalog.add(descriptor, 'folder');
 * input.check({ message: 'hi' }); // []
 */
export class Catalog {
  readonly #validators: ValidatorCache;
  readonly #entries = new Map<string, Held>();
  readonly #digests = new Map<string, Set<string>>();

  constructor(validators: ValidatorCache) {
    this.#validators = validators;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Adds a descriptor for an owner. Adding it again for the same owner changes nothing.
   *
   * @throws AppError `plugin.schema_*` when one of its schemas is refused; nothing is added then
   */
  add(descriptor: Descriptor, owner: string): CatalogEntry {
    const digest = descriptorDigest(descriptor);
    const known = this.#entries.get(digest);
    if (known !== undefined) {
      known.owners.add(owner);
      return known;
    }
    const entry = this.#compile(digest, descriptor, owner);
    this.#entries.set(digest, entry);
    const digests = this.#digests.get(descriptor.name);
    if (digests === undefined) this.#digests.set(descriptor.name, new Set([digest]));
    else digests.add(digest);
    return entry;
  }

  /** Takes an owner's hold off a descriptor. */
  remove(digest: string, owner: string): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined || !entry.owners.delete(owner) || entry.owners.size > 0) return;
    this.#entries.delete(digest);
    this.#validators.release(entry.input);
    this.#validators.release(entry.output);
    const { name } = entry.descriptor;
    const digests = this.#digests.get(name);
    digests?.delete(digest);
    if (digests?.size === 0) this.#digests.delete(name);
  }

  get(digest: string): CatalogEntry | undefined {
    return this.#entries.get(digest);
  }

  /** All digests that a capability name stands for, the first added first. */
  digestsOf(name: string): readonly string[] {
    return [...(this.#digests.get(name) ?? [])];
  }

  /** The names of all capabilities, in order. */
  names(): readonly string[] {
    return [...this.#digests.keys()].sort();
  }

  /** Capability names that someone who wrote `name` may have meant, the likeliest first. */
  nearest(name: string): readonly string[] {
    return nearest(name, this.#digests.keys());
  }

  #compile(digest: string, descriptor: Descriptor, owner: string): Held {
    const timeoutMs = parseDuration(descriptor.timeout, '/timeout');
    const input = this.#validators.acquire(descriptor.input);
    try {
      const output = this.#validators.acquire(descriptor.output);
      return { digest, descriptor, input, output, timeoutMs, owners: new Set([owner]) };
    } catch (thrown) {
      this.#validators.release(input);
      throw thrown;
    }
  }
}
