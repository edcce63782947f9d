import { inspect } from 'node:util';

const shown = '[secret]';

/**
 * A value that must not reach a log, an error or a wire by accident. Printing, serialising or inspecting it shows
 * `[secret]`; only {@link reveal} gives the value, so every use of it is easy to find.
 *
 * @example
 * const passphrase = new Secret('correct horse');
 * `${passphrase}`; // '[secret]'
 * passphrase.reveal(); // 'correct horse'
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
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

  [inspect.custom](): string {
    return shown;
  }
}
