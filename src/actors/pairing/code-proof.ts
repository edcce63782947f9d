import { generateKeyPairSync } from 'node:crypto';
import { AppError } from '../../kernel/errors.js';
import { rawPublicKey, verifyEd25519 } from '../identity/ed25519.js';
import type { Spake2, Spake2Context } from '../identity/spake2.js';
import { proofStatement } from '../identity/transcript.js';

/** What Prove carries for its code; what the other method would carry is empty. */
export interface ShownProof {
  readonly joinSignature: Uint8Array;
  readonly pinConfirmation: Uint8Array;
}

/** What became of a proof. */
export interface ProofOutcome {
  readonly holds: boolean;
  /** The daemon's own confirmation, for a proof that holds; empty for a join string. */
  readonly confirmation: Buffer;
}

/**
 * How one attempt proves its code. Made at Begin, for a code that lives and for one that does not: both take the same time
 * and the second one never holds (protocol.md 3).
 */
export interface CodeProof {
  /** The code that is meant; '' for one that there never was. */
  readonly codeId: string;
  /** The share that BeginReply carries; absent for a join string. */
  readonly share?: Uint8Array;
  /** Compares. Called once the code was charged. */
  check(transcript: Uint8Array, shown: ShownProof): ProofOutcome;
}

const none = Buffer.alloc(0);
const refused: ProofOutcome = { holds: false, confirmation: none };

/** The key of nobody's join string: what it takes to compare with it is all that it is for. */
const nobodysKey = rawPublicKey(generateKeyPairSync('ed25519').publicKey);

/** Proof of a join string: a signature by its key. `joinKey` finds that key when it is compared. */
export function joinProof(codeId: string, joinKey: () => Uint8Array | undefined): CodeProof {
  return {
    codeId,
    check: (transcript, { joinSignature }) => {
      const key = joinKey();
      const holds = verifyEd25519(key ?? nobodysKey, proofStatement(transcript), joinSignature);
      return { holds: holds && key !== undefined, confirmation: none };
    },
  };
}

/** Proof of a PIN: the node's confirmation of one SPAKE2 exchange, of which this is side B. */
export function pinProof(
  codeId: string,
  side: Spake2,
  context: Omit<Spake2Context, 'additionalData'>,
): CodeProof {
  return {
    codeId,
    share: side.share,
    check: (transcript, { pinConfirmation }) => {
      try {
        const keys = side.finish({ ...context, additionalData: transcript });
        const holds = keys.isConfirmedBy(pinConfirmation);
        return holds ? { holds, confirmation: keys.confirmation } : refused;
      } catch (thrown) {
        // The share that gives no key. The others were refused at Begin.
        if (thrown instanceof AppError) return refused;
        throw thrown;
      }
    },
  };
}
