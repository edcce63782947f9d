import { pairingError } from '../../../actors/errors.js';
import { newestPage } from '../../../actors/page.js';
import type {
  CodeControl,
  MintCode,
  MintedCode,
  PairingCodeView,
  PairingControl,
  PairingDecision,
  PairingView,
  PinPairingView,
} from '../../../actors/pairing/view.js';
import type { VerifiedCaller } from '../../../kernel/authority.js';
import type { Note } from './control-call.js';
import { sampleCode, sampleId, samplePairing, sampleTime } from './samples.js';

/** Codes, PINs and requests to join, of canned answers. */
export class FakePairing {
  readonly #note: Note;
  requests: PairingView[] = [samplePairing()];
  minted: PairingCodeView[] = [sampleCode()];
  /** Answers `codes.get` in place of what was minted. */
  onGetCode: (() => PairingCodeView) | undefined;
  pinPairing: PinPairingView = { locked: false, wrongProofs: [] };
  loopbackOnly = false;

  constructor(note: Note) {
    this.#note = note;
  }

  readonly codes: CodeControl = {
    mintJoin: async (caller, options) => {
      this.#note('mintJoin', caller, options);
      return { ...this.#minted(options, 600_000), joinString: 'palyra://join/v1/sample' };
    },
    mintPin: async (caller, options) => {
      this.#note('mintPin', caller, options);
      return { ...this.#minted(options, 600_000), pin: '47-193082' };
    },
    list: async (caller, filter) => {
      this.#note('listCodes', caller, filter);
      return {
        codes: this.minted.filter(
          ({ state }) => filter.states === undefined || filter.states.includes(state),
        ),
      };
    },
    get: async (caller, id) => {
      this.#note('getCode', caller, id);
      return this.#code(id);
    },
    cancel: async (caller, id, reason) => {
      this.#note('cancelCode', caller, { id, reason });
      return { ...this.#code(id), state: 'cancelled', endReason: reason };
    },
    pins: async (caller) => {
      this.#note('pins', caller, undefined);
      return this.pinPairing;
    },
    unlockPins: async (caller, reason) => {
      this.#note('unlockPins', caller, reason);
      return { locked: false, wrongProofs: [] };
    },
  };

  readonly pairings: PairingControl = {
    list: async (caller, filter) => {
      this.#note('listPairings', caller, filter);
      const { states, ...rest } = filter;
      const found = this.requests.filter(({ state }) => states === undefined || states.includes(state));
      const { page, ...next } = newestPage(found, rest);
      return { pairings: page, ...next };
    },
    get: async (caller, id) => {
      this.#note('getPairing', caller, id);
      return this.#request(id);
    },
    approve: async (caller, id, decision) => this.#decide('approve', caller, id, decision),
    reject: async (caller, id, decision) => this.#decide('reject', caller, id, decision),
    cancel: async (caller, id, reason) => {
      this.#note('cancelPairing', caller, { id, reason });
      return { ...this.#request(id), state: 'cancelled' };
    },
  };

  #minted({ ttlMs }: MintCode, initialMs: number): MintedCode {
    return {
      id: sampleId('pc'),
      expiresAt: sampleTime + (ttlMs ?? initialMs),
      enrollmentAddresses: [this.loopbackOnly ? '127.0.0.1:7443' : 'palyra.example.org:7443'],
      loopbackOnly: this.loopbackOnly,
    };
  }

  #code(id: string): PairingCodeView {
    const found = this.onGetCode?.() ?? this.minted.find((code) => code.id === id);
    if (found) return found;
    throw pairingError('not_found', `There is no code ${id}`);
  }

  #request(id: string): PairingView {
    const found = this.requests.find((request) => request.id === id);
    if (found) return found;
    throw pairingError('not_found', `There is no pairing ${id}`);
  }

  #decide(
    verb: 'approve' | 'reject',
    caller: VerifiedCaller,
    id: string,
    decision: PairingDecision,
  ): PairingView {
    this.#note(verb, caller, { id, ...decision });
    const request = this.#request(id);
    if (request.state !== 'pending_approval') {
      throw pairingError('decided', `Pairing ${id} is ${request.state} already`);
    }
    if (request.transcript !== decision.transcript) {
      throw pairingError('changed', 'Another proof is pending by now', { hint: 'Look at it again.' });
    }
    const decided: PairingView = {
      ...request,
      state: verb === 'approve' ? 'approved' : 'rejected',
      decision: {
        by: 'operator:local',
        at: sampleTime,
        reason: decision.reason ?? '',
        name: decision.name ?? request.proposedName,
      },
    };
    this.requests = this.requests.map((one) => (one.id === id ? decided : one));
    return decided;
  }
}
