import { inspect } from 'node:util';

const shown = '[secret]';

/**
 * A value that must not reach a log, an error or a wire by accident. Printing, serialising, inspecting, cloning or listing
 * it shows `[secret]` or nothing; only {@link reveal} gives the value, so every use of it is easy to find.
 *
 * What this does not stop: a debugger or a heap snapshot of this process, and whoever calls `reveal` and keeps the result.
 *
 * @example
 * const passphrase = new Secret('correct horse');
 * `${passphrase}`; // '[secret]'
 * passphrase.reveal(); // 'correct horse'
 */
export class Secret<T> {
  /** Private to the language, not by convention: reflection, spread, structured clone and inspection do not see it. */
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
    Object.freeze(this);
  }

  /** The value itself. Call it where the value is used, and keep the result in no field. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [Symbol.toPrimitive](): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}
