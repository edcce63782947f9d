import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import { TokenBuckets } from '../../kernel/token-buckets.js';
import { pairingError } from '../errors.js';

const lifetimeMs = 60_000;
/** Used nonces that are remembered. Each was in a call with a valid signature, so a stranger adds none. */
const capacity = 10_000;
/** Calls that one device may sign: what it takes of the remembered nonces, of signatures and of writes is not its own. */
const perSigner = { burst: 64, perSecond: 2 };
/** All together are held back by {@link capacity}. */
const together = { burst: 1e9, perSecond: 1e9 };
const rememberedSigners = 20_000;
const timeBytes = 8;
const randomPart = 8;
const macBytes = 16;

/**
 * Nonces for signed calls: each is good once, for a minute. Anyone may ask for them, so none is kept when it is issued: a
 * nonce carries its time and a MAC by a key of this process, and only used ones are remembered. However many a stranger
 * asks for, those of others stay good.
 */
export class Nonces {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);
  /** Used nonces (base64) and the monotonic time at which each ends, in order of use. */
  readonly #used = new Map<string, number>();
  readonly #budgets: TokenBuckets;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#budgets = new TokenBuckets(clock, { total: together, tableSize: rememberedSigners });
  }

  /** 32 bytes: monotonic time, random, MAC. */
  issue(): Buffer {
    const head = Buffer.alloc(timeBytes + randomPart);
    head.writeDoubleBE(this.#clock.monotonic());
    randomBytes(randomPart).copy(head, timeBytes);
    return Buffer.concat([head, this.#mac(head)]);
  }

  /**
   * Uses a nonce up and charges it to who signed it. Called when the signature over it was found valid, so nobody is charged
   * for what a stranger sends under their name.
   *
   * @param signer the id of the device whose identity key has signed
   * @throws AppError `pairing.bad_signature` when it was not issued here, was used before or is older than a minute;
   *   `pairing.busy` when too many were used within a minute, by this device or by all.
   */
  consume(nonce: Uint8Array, signer: string): void {
    const now = this.#clock.monotonic();
    const end = this.#endOf(nonce);
    const key = Buffer.from(nonce).toString('base64');
    if (end === undefined || end <= now || this.#used.has(key)) {
      throw pairingError('bad_signature', 'The nonce of this call is unknown, used or older than a minute', {
        hint: 'Ask for a new one with Challenge.',
      });
    }
    if (this.#budgets.take(signer, perSigner) !== undefined) {
      throw pairingError('busy', `Device ${signer} signs more than ${perSigner.perSecond} calls a second`, {
        hint: 'Wait a moment between calls.',
      });
    }
    for (const [used, usedEnd] of this.#used) {
      if (usedEnd > now) break;
      this.#used.delete(used);
    }
    if (this.#used.size >= capacity) {
      throw pairingError('busy', 'Too many machines are pairing at this moment', {
        hint: 'Try again in a minute.',
      });
    }
    // Counted from its use, not from its issue: so the order of the map is the order in which they end.
    this.#used.set(key, now + lifetimeMs);
  }

  /** The monotonic time at which a nonce of this process ends. */
  #endOf(nonce: Uint8Array): number | undefined {
    if (nonce.length !== timeBytes + randomPart + macBytes) return undefined;
    const head = Buffer.from(nonce.subarray(0, timeBytes + randomPart));
    const isOurs = timingSafeEqual(this.#mac(head), nonce.subarray(head.length));
    return isOurs ? head.readDoubleBE() + lifetimeMs : undefined;
  }

  #mac(head: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(head).digest().subarray(0, macBytes);
  }
}
