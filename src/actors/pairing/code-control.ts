import type { VerifiedCaller } from '../../kernel/authority.js';
import { formatJoinString } from '../identity/join-string.js';
import { formatPinCode } from '../identity/pin-code.js';
import { newestPage } from '../page.js';
import type { CodeOptions, PairingCodes } from './codes.js';
import type { Pairings } from './pairings.js';
import type { ChargedProof, PairingCodeRecord, PairingMethod, PinGuardRecord } from './record.js';
import type {
  CodeControl,
  CodeFilter,
  MintCode,
  MintedCode,
  MintedJoinCode,
  MintedPin,
  PairingCodeView,
  PinPairingView,
} from './view.js';

/** How long a PIN lives when its maker does not say and the default for join strings is longer, milliseconds. */
const longestPinMs = 15 * 60_000;

export interface CodesControlOptions {
  readonly codes: PairingCodes;
  readonly pairings: Pairings;
  /** SHA-256 of the certificate of the CA that issues, hex. */
  caFingerprint(): string;
  readonly defaultTtlMs: number;
  /** Where machines reach the enrolment port, as `host:port`, in order of preference. */
  enrollmentAddresses(): readonly string[];
}

/** What operators do with codes. What is allowed is decided in {@link PairingCodes}. */
export class CodesControl implements CodeControl {
  readonly #options: CodesControlOptions;

  constructor(options: CodesControlOptions) {
    this.#options = options;
  }

  async mintJoin(caller: VerifiedCaller, options: MintCode): Promise<MintedJoinCode> {
    const { codes, caFingerprint } = this.#options;
    const { code, secret } = await codes.mintJoin(caller, this.#complete('join', options));
    const joinString = formatJoinString({
      addresses: this.#options.enrollmentAddresses(),
      caSha256: Buffer.from(caFingerprint(), 'hex'),
      codeId: code.id,
      secret,
    });
    return { ...this.#minted(code), joinString };
  }

  async mintPin(caller: VerifiedCaller, options: MintCode): Promise<MintedPin> {
    const { code, pinCode } = await this.#options.codes.mintPin(caller, this.#complete('pin', options));
    return { ...this.#minted(code), pin: formatPinCode(pinCode) };
  }

  async list(
    _caller: VerifiedCaller,
    { states, ...filter }: CodeFilter,
  ): Promise<{ readonly codes: readonly PairingCodeView[]; readonly next?: string }> {
    const found = this.#options.codes
      .all()
      .map((code) => this.#view(code))
      .filter(({ state }) => states === undefined || states.includes(state));
    const { page, ...rest } = newestPage(found, filter);
    return { codes: page, ...rest };
  }

  async get(_caller: VerifiedCaller, id: string): Promise<PairingCodeView> {
    return this.#view(this.#options.codes.require(id));
  }

  async cancel(caller: VerifiedCaller, id: string, reason: string): Promise<PairingCodeView> {
    return this.#view(await this.#options.codes.cancel(caller, id, reason));
  }

  async pins(_caller: VerifiedCaller): Promise<PinPairingView> {
    return pinsView(this.#options.codes.pinGuard);
  }

  async unlockPins(caller: VerifiedCaller, reason: string): Promise<PinPairingView> {
    return pinsView(await this.#options.codes.unlockPins(caller, reason));
  }

  #complete(method: PairingMethod, { ttlMs, purpose = '', labels = {} }: MintCode): CodeOptions {
    const initial = this.#options.defaultTtlMs;
    return {
      ttlMs: ttlMs ?? (method === 'pin' ? Math.min(initial, longestPinMs) : initial),
      purpose,
      labels,
    };
  }

  #minted({ id, expiresAt }: PairingCodeRecord): MintedCode {
    const addresses = this.#options.enrollmentAddresses();
    return {
      id,
      expiresAt,
      enrollmentAddresses: addresses,
      loopbackOnly: addresses.every(isLoopback),
    };
  }

  #view({ joinKey: _joinKey, charges, ...code }: PairingCodeRecord): PairingCodeView {
    const pairing = this.#options.pairings.all().find(({ codeId }) => codeId === code.id);
    return {
      ...code,
      state: this.#options.codes.stateOf(code.id),
      wrongProofs: charges.map(placeOf),
      ...(pairing === undefined ? {} : { pairingId: pairing.id }),
    };
  }
}

function pinsView({ state, charges, lockedAt }: PinGuardRecord): PinPairingView {
  return {
    locked: state === 'locked',
    wrongProofs: charges.map((charge) => ({ ...placeOf(charge), codeId: charge.codeId })),
    ...(lockedAt === undefined ? {} : { lockedAt }),
  };
}

function placeOf({ at, address }: ChargedProof) {
  return { at, address };
}

function isLoopback(address: string): boolean {
  return /^(127\.|localhost[:]|\[::1\])/.test(address);
}
