import { createHash, randomBytes } from 'node:crypto';
import { verifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import type { DeviceAuthority } from '../authority/device-authority.js';
import { digestOfSurface, readAnnouncement } from '../device/announcement.js';
import { refuseBarred } from '../device/bars.js';
import type { Devices } from '../device/devices.js';
import type { HostFacts } from '../device/record.js';
import { pairingError } from '../errors.js';
import { deviceIdOf } from '../identity/device-id.js';
import { verifyEd25519 } from '../identity/ed25519.js';
import { slotPattern } from '../identity/pin-code.js';
import { requireShare } from '../identity/spake2.js';
import { pinIdentities, proofStatement, signedStatement } from '../identity/transcript.js';
import { idPattern } from '../ids.js';
import { type PluginAnnouncement, type ProtocolVersion, protocolVersion } from '../link/frames.js';
import type { Attempt, Attempts, BeginPeer } from './attempts.js';
import { codeRefused } from './code-charges.js';
import { type CodeProof, joinProof, pinProof, type ShownProof } from './code-proof.js';
import type { PairingCodes } from './codes.js';
import type { Nonces } from './nonces.js';
import type { Pairings } from './pairings.js';
import type { PairingCodeRecord, PairingRecord, PairingState } from './record.js';

export interface Begin {
  readonly protocol: ProtocolVersion;
  readonly identityKey: Uint8Array;
  readonly nonce: Uint8Array;
  readonly csrDigest: Uint8Array;
  readonly surfaceDigest: Uint8Array;
  readonly facts: HostFacts;
  /** SHA-256 of the CA certificate that the machine has pinned or was shown, 32 bytes; empty when it does not say. */
  readonly caSha256: Uint8Array;
  readonly method: BeginMethod;
}

/** Which code is meant: the id of a join string, or the slot of a PIN with the node's SPAKE2 share. */
export type BeginMethod =
  | { readonly kind: 'join'; readonly codeId: string }
  | { readonly kind: 'pin'; readonly slot: string; readonly share: Uint8Array };

export interface BeginAnswer {
  readonly protocol: ProtocolVersion;
  readonly attemptId: string;
  readonly nonce: Uint8Array;
  readonly caCertificate: Uint8Array;
  /** The daemon's SPAKE2 share, for a PIN. */
  readonly share?: Uint8Array;
}

export interface Prove extends ShownProof {
  readonly attemptId: string;
  readonly csr: Uint8Array;
  readonly identitySignature: Uint8Array;
}

/** A proof that held. */
export interface Proven {
  readonly pairing: PairingRecord;
  /** The daemon's SPAKE2 confirmation; empty for a join string. */
  readonly confirmation: Uint8Array;
}

/** A call that the identity key signed over the RPC's name, the pairing id, the CSR digest and a nonce (protocol.md 5). */
export interface SignedCall {
  readonly pairingId: string;
  readonly nonce: Uint8Array;
  readonly identitySignature: Uint8Array;
}

export interface Submit extends SignedCall {
  readonly plugins: readonly PluginAnnouncement[];
  readonly proposedName: string;
}

export interface EnrolmentOptions {
  readonly pairings: Pairings;
  readonly codes: PairingCodes;
  readonly attempts: Attempts;
  readonly nonces: Nonces;
  readonly devices: Devices;
  readonly authority: DeviceAuthority;
  readonly clock: Clock;
  lifetime(state: PairingState): number;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The daemon's side of enrolment, as the enrolment port calls it. Nothing a peer says here is believed unproven. */
export class Enrolment {
  readonly #options: EnrolmentOptions;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  /**
   * Opens an attempt. The same answer comes for a code that lives and for one that does not (protocol.md 3).
   *
   * @throws AppError `pairing.invalid_request`, `pairing.unsupported_protocol`, `pairing.busy`.
   */
  begin(peer: BeginPeer, begin: Begin): BeginAnswer {
    requireProtocol(begin.protocol);
    requireLength('identity_key', begin.identityKey, 32);
    requireLength('nonce', begin.nonce, 32);
    requireLength('csr_digest', begin.csrDigest, 32);
    requireLength('surface_digest', begin.surfaceDigest, 32);
    this.#options.attempts.charge(peer, begin.method.kind);
    const caCertificate = this.#options.authority.certificateFor(begin.caSha256);
    const proof = this.#proofOf(begin, caCertificate);
    const attempt = this.#options.attempts.open({
      ...peer,
      deviceId: deviceIdOf(begin.identityKey),
      identityKey: begin.identityKey,
      csrDigest: begin.csrDigest,
      surfaceDigest: begin.surfaceDigest,
      facts: begin.facts,
      proof,
    });
    return {
      protocol: protocolVersion,
      attemptId: attempt.id,
      nonce: randomBytes(32),
      caCertificate,
      ...(proof.share === undefined ? {} : { share: proof.share }),
    };
  }

  #proofOf({ method, identityKey }: Begin, caCertificate: Uint8Array): CodeProof {
    const { codes } = this.#options;
    if (method.kind === 'join') {
      const { codeId } = method;
      if (!idPattern('pc').test(codeId)) throw invalid('join.code_id', 'is not the id of a code');
      return joinProof(codeId, () => decodeKey(codes.get(codeId)?.joinKey));
    }
    if (!slotPattern.test(method.slot)) throw invalid('pin.slot', 'is not the slot of a PIN');
    requireShare(method.share);
    const { codeId, side } = codes.beginPin(method.slot);
    const identities = pinIdentities(identityKey, caCertificate);
    return pinProof(codeId, side, { peerShare: method.share, identities });
  }

  /** Binds an attempt to the complete bytes of its Begin exchange (protocol.md 4). */
  bind(attemptId: string, transcript: Buffer): void {
    this.#options.attempts.bind(attemptId, transcript);
  }

  /**
   * Checks a proof. The code is charged, on disk, before anything is compared.
   *
   * @throws AppError `pairing.code_refused` for every reason that lies in code, attempt or signature;
   *   `pairing.device_barred` for a proven device that an operator shut out.
   */
  async prove(prove: Prove): Promise<Proven> {
    const { attempts, codes, devices, pairings } = this.#options;
    const opened = attempts.take(prove.attemptId);
    if (!opened) throw codeRefused();
    const { attempt, transcript } = opened;
    const { codeId } = attempt.proof;
    const charged = await codes.charge(codeId, { attemptId: attempt.id, address: attempt.address });
    // All of it is compared, whatever fails first, and for a code that does not live too: so all refusals take as long.
    const { holds, confirmation } = attempt.proof.check(transcript, prove);
    const statement = proofStatement(transcript);
    const identityHolds = verifyEd25519(attempt.identityKey, statement, prove.identitySignature);
    const requestHolds = this.#requestHolds(attempt, prove.csr);
    const known = codes.get(codeId);
    if (!known || !holds || !identityHolds || !requestHolds) throw codeRefused();
    if (known.boundTo !== undefined && known.boundTo !== attempt.deviceId) {
      await this.#alertSecondDevice(known, known.boundTo, attempt);
      throw codeRefused();
    }
    if (!charged) throw codeRefused();
    await codes.accept(codeId, attempt.id, attempt.deviceId);
    refuseBarred(devices.get(attempt.deviceId));
    const open = pairings.openOf(attempt.deviceId);
    return { pairing: await this.#proven(attempt, transcript, prove.csr, charged, open), confirmation };
  }

  /** A fresh nonce for the next signed call. */
  challenge(): Buffer {
    return this.#options.nonces.issue();
  }

  /**
   * Takes what the operator is to approve. From then on the request is pending.
   *
   * @throws AppError `pairing.not_found`, `pairing.bad_signature`, `session.invalid_announcement`, `pairing.invalid_request`.
   */
  async submit(submit: Submit): Promise<PairingRecord> {
    const pairing = this.#authenticate('AwaitDecision', submit);
    if (!isUndecided(pairing.state)) return pairing;
    const requested = readAnnouncement(submit.plugins);
    if (digestOfSurface(requested) !== pairing.surfaceDigest) {
      throw invalid('plugins', 'is not the set of descriptors that Begin announced');
    }
    const proposedName = namePattern.test(submit.proposedName)
      ? submit.proposedName
      : `node-${pairing.deviceId.slice(0, 7).toLowerCase()}`;
    return this.#options.pairings.ask(pairing.id, (reply) => ({
      type: 'submit',
      caller: callerOf(pairing),
      requested,
      proposedName,
      reply,
    }));
  }

  /** The node has its certificate on disk. @throws AppError as {@link submit}. */
  async confirm(call: SignedCall): Promise<void> {
    const pairing = this.#authenticate('Confirm', call);
    if (pairing.state === 'completed') return;
    await this.#options.pairings.ask(pairing.id, (reply) => ({
      type: 'confirm',
      caller: callerOf(pairing),
      reply,
    }));
  }

  #authenticate(rpc: string, call: SignedCall): PairingRecord {
    if (!idPattern('pr').test(call.pairingId)) throw invalid('pairing_id', 'is not the id of a pairing');
    const pairing = this.#options.pairings.require(call.pairingId);
    const statement = signedStatement({
      rpc,
      subject: pairing.id,
      csrDigest: Buffer.from(pairing.csrDigest, 'hex'),
      nonce: call.nonce,
    });
    if (!verifyEd25519(Buffer.from(pairing.identityKey, 'base64url'), statement, call.identitySignature)) {
      throw pairingError('bad_signature', 'The call is not signed by the identity key of this pairing', {
        hint: 'Only the machine that began the pairing can go on with it.',
      });
    }
    this.#options.nonces.consume(call.nonce, pairing.deviceId);
    refuseBarred(this.#options.devices.get(pairing.deviceId));
    return pairing;
  }

  #requestHolds(attempt: Attempt, csr: Uint8Array): boolean {
    if (!createHash('sha256').update(csr).digest().equals(attempt.csrDigest)) return false;
    try {
      this.#options.authority.checkRequest(csr);
      return true;
    } catch (thrown) {
      if (thrown instanceof AppError) return false;
      throw thrown;
    }
  }

  /** The one who came first may be the thief, so it is said where the operator looks: on its request, and on its device. */
  async #alertSecondDevice(code: PairingCodeRecord, firstDevice: string, attempt: Attempt): Promise<void> {
    const { pairings, devices, clock } = this.#options;
    const what = code.method === 'pin' ? 'PIN' : 'join string';
    const message = `Another machine (${attempt.deviceId}, from ${attempt.address}) used the same ${what}`;
    for (const pairing of pairings.open()) {
      if (pairing.codeId === code.id) pairings.alert(pairing.id, message);
    }
    if (devices.get(firstDevice)) {
      await devices.alert(firstDevice, {
        code: code.method === 'pin' ? 'pin_reused' : 'join_string_reused',
        at: clock.now(),
        message,
      });
    }
  }

  async #proven(
    attempt: Attempt,
    transcript: Buffer,
    csr: Uint8Array,
    code: PairingCodeRecord,
    open: PairingRecord | undefined,
  ): Promise<PairingRecord> {
    const proof = {
      codeId: code.id,
      transcript: transcript.toString('hex'),
      csr: Buffer.from(csr).toString('base64'),
      csrDigest: Buffer.from(attempt.csrDigest).toString('hex'),
      surfaceDigest: Buffer.from(attempt.surfaceDigest).toString('hex'),
      facts: attempt.facts,
      peerAddress: attempt.address,
      purpose: code.purpose,
      labels: code.labels,
    };
    const { pairings } = this.#options;
    if (open) {
      return pairings.ask(open.id, (reply) => ({ type: 'prove', caller: callerOf(open), proof, reply }));
    }
    const identityKey = Buffer.from(attempt.identityKey).toString('base64url');
    return pairings.create(proof, attempt.deviceId, identityKey, this.#options.lifetime('proving'));
  }
}

/** The device of a pairing as a caller. Only called after its identity key's signature was checked. */
function callerOf(pairing: PairingRecord) {
  return verifiedCaller({ kind: 'device', deviceId: pairing.deviceId, fingerprint: '' });
}

function decodeKey(base64url: string | undefined): Buffer | undefined {
  return base64url === undefined ? undefined : Buffer.from(base64url, 'base64url');
}

function isUndecided(state: PairingState): boolean {
  return state === 'proving' || state === 'pending_approval';
}

function invalid(field: string, message: string): AppError {
  return pairingError('invalid_request', `${field} ${message}`, { fields: [{ field, message }] });
}

function requireLength(field: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw invalid(field, `must have ${length} bytes, not ${bytes.length}`);
}

/** @throws AppError `pairing.unsupported_protocol` naming the side to upgrade. */
export function requireProtocol(theirs: ProtocolVersion): void {
  const ours = protocolVersion;
  const served = theirs.major === ours.major && theirs.minor <= ours.minor && theirs.minor >= ours.minor - 1;
  if (served) return;
  const nodeIsOlder = theirs.major < ours.major || (theirs.major === ours.major && theirs.minor < ours.minor);
  throw pairingError(
    'unsupported_protocol',
    `The node speaks protocol ${theirs.major}.${theirs.minor}, the daemon ${ours.major}.${ours.minor}`,
    { hint: nodeIsOlder ? 'Upgrade palyra on the node.' : 'Upgrade palyrad on the daemon.' },
  );
}
