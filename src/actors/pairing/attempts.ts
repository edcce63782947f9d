import { randomBytes } from 'node:crypto';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { HostFacts } from '../device/record.js';
import { pairingError } from '../errors.js';

const lifetimeMs = 30_000;
const capacity = 32;
const perAddress = 4;

/** A Begin that waits for its Prove. In memory only; it has cost nobody anything yet. */
export interface Attempt {
  readonly id: string;
  readonly address: string;
  /** The address, or the /64 of an IPv6 address: one machine has all of those. */
  readonly budgetKey: string;
  readonly deviceId: string;
  readonly identityKey: Uint8Array;
  readonly csrDigest: Uint8Array;
  readonly surfaceDigest: Uint8Array;
  readonly facts: HostFacts;
  readonly codeId: string;
}

/** The proving attempts under way: at most 32 at a time, 4 of one address, 30 s each (protocol.md 11). */
export class Attempts {
  readonly #deadlines: Deadlines;
  readonly #open = new Map<string, { attempt: Attempt; transcript: Buffer | undefined }>();

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  /** @throws AppError `pairing.busy` when too many are under way. */
  open(details: Omit<Attempt, 'id'>): Attempt {
    let ofAddress = 0;
    for (const { attempt } of this.#open.values()) if (attempt.budgetKey === details.budgetKey) ofAddress++;
    if (this.#open.size >= capacity || ofAddress >= perAddress) {
      throw pairingError('busy', 'Too many machines are pairing at this moment', {
        hint: 'Try again in 30 seconds.',
      });
    }
    const attempt: Attempt = { ...details, id: randomBytes(16).toString('hex') };
    this.#open.set(attempt.id, { attempt, transcript: undefined });
    this.#deadlines.set(attempt, lifetimeMs, () => this.#open.delete(attempt.id));
    return attempt;
  }

  /** Binds the attempt to the exchange that opened it, once the reply's bytes are known. */
  bind(id: string, transcript: Buffer): void {
    const entry = this.#open.get(id);
    if (entry) entry.transcript = transcript;
  }

  /** Ends an attempt: one attempt is one guess. */
  take(id: string): { attempt: Attempt; transcript: Buffer } | undefined {
    const entry = this.#open.get(id);
    if (!entry?.transcript) return undefined;
    this.#open.delete(id);
    this.#deadlines.release(entry.attempt);
    return { attempt: entry.attempt, transcript: entry.transcript };
  }
}
