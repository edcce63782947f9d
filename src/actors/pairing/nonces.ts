import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import { pairingError } from '../errors.js';

const lifetimeMs = 60_000;
const capacity = 10_000;

/** Nonces for signed calls: each is good once, for a minute. Bounded: the oldest goes first. */
export class Nonces {
  readonly #clock: Clock;
  /** Nonce (base64) to the monotonic time at which it ends, in order of issue. */
  readonly #issued = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(): Buffer {
    const now = this.#clock.monotonic();
    for (const [nonce, end] of this.#issued) {
      if (end > now && this.#issued.size < capacity) break;
      this.#issued.delete(nonce);
    }
    const nonce = randomBytes(32);
    this.#issued.set(nonce.toString('base64'), now + lifetimeMs);
    return nonce;
  }

  /** @throws AppError `pairing.bad_signature` when it was not issued here, was used before or is older than a minute. */
  consume(nonce: Uint8Array): void {
    const key = Buffer.from(nonce).toString('base64');
    const end = this.#issued.get(key);
    this.#issued.delete(key);
    if (end === undefined || end <= this.#clock.monotonic()) {
      throw pairingError('bad_signature', 'The nonce of this call is unknown, used or older than a minute', {
        hint: 'Ask for a new one with Challenge.',
      });
    }
  }
}
