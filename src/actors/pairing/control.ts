import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Devices } from '../device/devices.js';
import { fingerprintWords } from '../identity/fingerprint-words.js';
import { newestPage } from '../page.js';
import type { PairingCodes } from './codes.js';
import type { Pairings } from './pairings.js';
import type { PairingRecord } from './record.js';
import type { PairingControl, PairingDecision, PairingFilter, PairingView } from './view.js';

export interface PairingsControlOptions {
  readonly pairings: Pairings;
  readonly codes: PairingCodes;
  readonly devices: Devices;
}

/** What operators do with pairings. */
export class PairingsControl implements PairingControl {
  readonly #options: PairingsControlOptions;

  constructor(options: PairingsControlOptions) {
    this.#options = options;
  }

  async list(
    _caller: VerifiedCaller,
    { states, ...filter }: PairingFilter,
  ): Promise<{ readonly pairings: readonly PairingView[]; readonly next?: string }> {
    const found = this.#options.pairings
      .all()
      .filter(({ state }) => states === undefined || states.includes(state));
    const { page, ...rest } = newestPage(found, filter);
    return { pairings: page.map((pairing) => this.#view(pairing)), ...rest };
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

  async cancel(caller: VerifiedCaller, id: string, reason: string): Promise<PairingView> {
    return this.#view(
      await this.#options.pairings.ask(id, (reply) => ({ type: 'cancel', caller, reason, reply })),
    );
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
