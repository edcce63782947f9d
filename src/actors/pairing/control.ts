import { callerLabel, holdsRole, type VerifiedCaller } from '../../kernel/authority.js';
import type {
  MintedJoinCode,
  MintJoinCode,
  PairingControl,
  PairingDecision,
  PairingView,
} from '../control.js';
import type { Devices } from '../device/devices.js';
import { pairingError } from '../errors.js';
import { fingerprintWords } from '../identity/fingerprint-words.js';
import { formatJoinString } from '../identity/join-string.js';
import type { PairingCodes } from './codes.js';
import type { Pairings } from './pairings.js';
import type { PairingRecord, PairingState } from './record.js';

export interface PairingsControlOptions {
  readonly pairings: Pairings;
  readonly codes: PairingCodes;
  readonly devices: Devices;
  /** SHA-256 of the CA certificate, hex. */
  readonly caFingerprint: string;
  readonly defaultTtlMs: number;
  /** Where machines reach the enrolment port, as `host:port`, in order of preference. */
  enrollmentAddresses(): readonly string[];
}

/** What operators do with pairings. */
export class PairingsControl implements PairingControl {
  readonly #options: PairingsControlOptions;

  constructor(options: PairingsControlOptions) {
    this.#options = options;
  }

  async mintJoinCode(caller: VerifiedCaller, options: MintJoinCode): Promise<MintedJoinCode> {
    if (!holdsRole(caller, 'admin')) {
      throw pairingError('forbidden', `${callerLabel(caller)} may not mint codes`, {
        hint: 'It takes a token with the role admin.',
      });
    }
    const { code, secret } = await this.#options.codes.mintJoin(caller, {
      ttlMs: options.ttlMs ?? this.#options.defaultTtlMs,
      purpose: options.purpose ?? '',
      labels: options.labels ?? {},
    });
    const addresses = this.#options.enrollmentAddresses();
    const joinString = formatJoinString({
      addresses,
      caSha256: Buffer.from(this.#options.caFingerprint, 'hex'),
      codeId: code.id,
      secret,
    });
    return {
      id: code.id,
      joinString,
      expiresAt: code.expiresAt,
      enrollmentAddresses: addresses,
      loopbackOnly: addresses.every(isLoopback),
    };
  }

  async list(
    _caller: VerifiedCaller,
    filter: { readonly states?: readonly PairingState[] },
  ): Promise<readonly PairingView[]> {
    return this.#options.pairings
      .all()
      .filter((pairing) => filter.states === undefined || filter.states.includes(pairing.state))
      .sort((a, b) => b.createdAt - a.createdAt)
      .map((pairing) => this.#view(pairing));
  }

  async get(_caller: VerifiedCaller, id: string): Promise<PairingView> {
    return this.#view(this.#options.pairings.require(id));
  }

  async approve(caller: VerifiedCaller, id: string, decision: PairingDecision): Promise<PairingView> {
    const { pairings } = this.#options;
    const name = decision.name ?? pairings.freeName(pairings.require(id));
    const approved = await pairings.ask(id, (reply) => ({
      type: 'approve',
      caller,
      transcript: decision.transcript,
      name,
      reason: decision.reason ?? '',
      reply,
    }));
    return this.#view(approved);
  }

  async reject(caller: VerifiedCaller, id: string, decision: PairingDecision): Promise<PairingView> {
    const rejected = await this.#options.pairings.ask(id, (reply) => ({
      type: 'reject',
      caller,
      transcript: decision.transcript,
      reason: decision.reason ?? '',
      reply,
    }));
    return this.#view(rejected);
  }

  #view(pairing: PairingRecord): PairingView {
    const { csr: _csr, certificate: _certificate, identityKey: _identityKey, returning, ...shown } = pairing;
    const method = returning ? 'return' : (this.#options.codes.get(pairing.codeId)?.method ?? 'join');
    const seenBefore = this.#options.devices.get(pairing.deviceId)?.state;
    return {
      ...shown,
      method,
      ...(returning?.certificateExpiresAt === undefined
        ? {}
        : { certificateExpiresAt: returning.certificateExpiresAt }),
      fingerprintWords: fingerprintWords(Buffer.from(pairing.wordsTranscript, 'hex')),
      ...(seenBefore === undefined ? {} : { seenBefore }),
    };
  }
}

function isLoopback(address: string): boolean {
  return /^(127\.|localhost[:]|\[::1\])/.test(address);
}
