import type { VerifiedCaller } from '../../kernel/authority.js';
import type { DeviceState } from '../device/record.js';
import type { PageFilter } from '../page.js';
import type { PairingCodeRecord, PairingCodeState, PairingRecord, PairingState } from './record.js';

export interface MintCode {
  /** Milliseconds: 30 s to 24 h for a join string, to 15 min for a PIN. */
  readonly ttlMs?: number;
  readonly purpose?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface MintedCode {
  readonly id: string;
  readonly expiresAt: number;
  readonly enrollmentAddresses: readonly string[];
  /** True when only loopback addresses are advertised: another machine could not use the code. */
  readonly loopbackOnly: boolean;
}

export interface MintedJoinCode extends MintedCode {
  /** Shown once, here; not stored. */
  readonly joinString: string;
}

export interface MintedPin extends MintedCode {
  /** `<slot>-<PIN>`. Shown once, here; not stored. */
  readonly pin: string;
}

/** A proof that was wrong, or that is being compared at this moment. */
export interface WrongProof {
  readonly at: number;
  readonly address: string;
}

export interface PairingCodeView extends Omit<PairingCodeRecord, 'joinKey' | 'charges'> {
  readonly wrongProofs: readonly WrongProof[];
  /** The request that the code has led to. */
  readonly pairingId?: string;
}

export interface CodeFilter extends PageFilter {
  readonly states?: readonly PairingCodeState[];
}

/** Over all PINs. */
export interface PinPairingView {
  readonly locked: boolean;
  readonly lockedAt?: number;
  /** Those that count: of the last 24 hours, or since the lock was lifted. */
  readonly wrongProofs: readonly (WrongProof & { readonly codeId: string })[];
}

export interface CodeControl {
  /** @throws AppError `pairing.invalid_request`, `pairing.forbidden`. */
  mintJoin(caller: VerifiedCaller, options: MintCode): Promise<MintedJoinCode>;
  /** @throws AppError as for a join string, and `pairing.too_many_pins`, `pairing.pins_locked`. */
  mintPin(caller: VerifiedCaller, options: MintCode): Promise<MintedPin>;
  list(
    caller: VerifiedCaller,
    filter: CodeFilter,
  ): Promise<{ readonly codes: readonly PairingCodeView[]; readonly next?: string }>;
  /** @throws AppError `pairing.not_found`. */
  get(caller: VerifiedCaller, id: string): Promise<PairingCodeView>;
  /** @throws AppError `pairing.not_found`, `pairing.code_ended`, `pairing.forbidden`. */
  cancel(caller: VerifiedCaller, id: string, reason: string): Promise<PairingCodeView>;
  pins(caller: VerifiedCaller): Promise<PinPairingView>;
  /** @throws AppError `pairing.forbidden`. */
  unlockPins(caller: VerifiedCaller, reason: string): Promise<PinPairingView>;
}

export interface PairingDecision {
  /** `transcript` of the pairing as the operator saw it (protocol.md 10). */
  readonly transcript: string;
  readonly reason?: string;
  /** Approval only: the node's name; default: the name it proposed, made unique. */
  readonly name?: string;
}

export interface PairingView
  extends Omit<PairingRecord, 'csr' | 'certificate' | 'identityKey' | 'returning'> {
  /** How the machine proved itself; `return`: by its identity key alone, as a known device. */
  readonly method: 'join' | 'pin' | 'return';
  /** Of a device that comes back: when its last certificate ended, or will. */
  readonly certificateExpiresAt?: number;
  readonly fingerprintWords: readonly string[];
  /** What this device id was before. */
  readonly seenBefore?: DeviceState;
}

export interface PairingFilter extends PageFilter {
  readonly states?: readonly PairingState[];
}

export interface PairingControl {
  list(
    caller: VerifiedCaller,
    filter: PairingFilter,
  ): Promise<{ readonly pairings: readonly PairingView[]; readonly next?: string }>;
  get(caller: VerifiedCaller, id: string): Promise<PairingView>;
  /** @throws AppError `pairing.decided` when it is decided already, `pairing.changed` when another proof is pending by now. */
  approve(caller: VerifiedCaller, id: string, decision: PairingDecision): Promise<PairingView>;
  reject(caller: VerifiedCaller, id: string, decision: PairingDecision): Promise<PairingView>;
  /** Takes a request back that is not decided. @throws AppError `pairing.decided`, `pairing.forbidden`. */
  cancel(caller: VerifiedCaller, id: string, reason: string): Promise<PairingView>;
}
