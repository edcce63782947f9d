import { randomBytes } from 'node:crypto';
import type { Secret } from '../../kernel/secret.js';
import { passwordHashLength, Spake2, Spake2Password } from '../identity/spake2.js';

interface LivePin {
  readonly codeId: string;
  readonly password: Secret<Spake2Password>;
}

/** What the PINs that live are compared with. In memory only: it is as good as the PINs (protocol.md 1). */
export class LivePins {
  readonly #bySlot = new Map<string, LivePin>();
  /** For slots without a code: an exchange with it costs the same and can't be confirmed. */
  readonly #decoy = Spake2Password.fromHash(randomBytes(passwordHashLength));

  get slots(): ReadonlySet<string> {
    return new Set(this.#bySlot.keys());
  }

  add(slot: string, pin: LivePin): void {
    this.#bySlot.set(slot, pin);
  }

  remove(codeId: string): void {
    for (const [slot, pin] of this.#bySlot) if (pin.codeId === codeId) this.#bySlot.delete(slot);
  }

  /** Begins an exchange for a slot, whether a code lives there or not. The id of the code is '' when none does. */
  begin(slot: string): { readonly codeId: string; readonly side: Spake2 } {
    const pin = this.#bySlot.get(slot);
    return { codeId: pin?.codeId ?? '', side: new Spake2('B', pin?.password.reveal() ?? this.#decoy) };
  }
}
