import { createHash } from 'node:crypto';
import { verifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import { formatDuration } from '../../kernel/duration.js';
import { TokenBuckets } from '../../kernel/token-buckets.js';
import type { DeviceAuthority } from '../authority/device-authority.js';
import { refuseBarred } from '../device/bars.js';
import { pendingFor } from '../device/certificates.js';
import type { Devices } from '../device/devices.js';
import type { DeviceRecord, HostFacts } from '../device/record.js';
import { certificateEndOf } from '../device/trust.js';
import { pairingError } from '../errors.js';
import { verifyEd25519 } from '../identity/ed25519.js';
import { returnTranscript, signedStatement } from '../identity/transcript.js';
import type { ProtocolVersion } from '../link/frames.js';
import { requireProtocol } from './enrolment.js';
import { type PairingProof, returnPolicyName } from './events.js';
import type { Nonces } from './nonces.js';
import type { Pairings } from './pairings.js';
import { hasCertificate, type PairingRecord, type PairingState } from './record.js';

/** Whether a known device may come back without an operator's word, and how long after its certificate has ended. */
export interface ReturnPolicy {
  readonly mode: 'ask' | 'allow';
  /** Milliseconds; longer ago always asks. */
  readonly maxAgeMs: number;
}

/** A device's request to come back, signed by its identity key over a nonce of the daemon. */
export interface ReturnRequest {
  readonly protocol: ProtocolVersion;
  readonly deviceId: string;
  /** PKCS #10 DER. */
  readonly csr: Uint8Array;
  /** Its last certificate, DER; empty when it has none. */
  readonly certificate: Uint8Array;
  readonly facts: HostFacts;
  readonly nonce: Uint8Array;
  readonly identitySignature: Uint8Array;
}

export interface ReturnsOptions {
  readonly pairings: Pairings;
  readonly devices: Devices;
  readonly authority: DeviceAuthority;
  readonly nonces: Nonces;
  readonly clock: Clock;
  readonly policy: ReturnPolicy;
  lifetime(state: PairingState): number;
}

/**
 * How often a device may begin anew: each time is written down and kept for as long as decisions are. A host that was refused
 * asks again hourly, and one whose answer is lost asks with the same key, which begins nothing.
 */
const beginnings = { burst: 16, perSecond: 1 / 1_800 };
/** All together are held back by what their keys may sign. */
const together = { burst: 1e9, perSecond: 1e9 };
const rememberedDevices = 20_000;

const policyCaller = verifiedCaller({ kind: 'system', name: returnPolicyName });

/** How a known device comes back when its certificate has ended or is not in the records any more (protocol.md 12). */
export class Returns {
  readonly #options: ReturnsOptions;
  /** By device: its calls are taken one after the other, so that it has one request however often it asks at once. */
  readonly #turns = new Map<string, Promise<unknown>>();

  readonly #budgets: TokenBuckets;

  constructor(options: ReturnsOptions) {
    this.#options = options;
    this.#budgets = new TokenBuckets(options.clock, { total: together, tableSize: rememberedDevices });
  }

  /**
   * Takes the request of a device. The same key keeps its one request and id, and gets the same certificate.
   *
   * @returns the pairing: pending, or approved by the policy.
   * @throws AppError `pairing.unknown_device`, `pairing.bad_signature`, `pairing.device_barred` with the operator's reason,
   *   `pairing.in_force` when its certificate is good as it is, `pairing.busy` when it asks to join with a code or has begun anew too
   *   often, `pki.invalid_request`.
   */
  async ask(address: string, request: ReturnRequest): Promise<PairingRecord> {
    requireProtocol(request.protocol);
    const device = this.#authenticate(request);
    this.#options.authority.checkRequest(request.csr);
    const before = this.#turns.get(device.id) ?? Promise.resolve();
    const turn = before.then(() => this.#take(address, request));
    const settled = turn.catch(() => undefined);
    this.#turns.set(device.id, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(device.id) === settled) this.#turns.delete(device.id);
    }
  }

  /** The device whose identity key signed the request, if it may come back. */
  #authenticate({ deviceId, csr, nonce, identitySignature }: ReturnRequest): DeviceRecord {
    const { devices, nonces } = this.#options;
    const device = devices.get(deviceId);
    if (!device || device.identityKey === '') throw unknownDevice(deviceId);
    const statement = signedStatement({ rpc: 'Return', subject: deviceId, csrDigest: digestOf(csr), nonce });
    if (!verifyEd25519(Buffer.from(device.identityKey, 'base64url'), statement, identitySignature)) {
      throw pairingError('bad_signature', 'The request is not signed by the identity key of this device', {
        hint: 'Only the machine that holds the key can come back.',
      });
    }
    nonces.consume(nonce, device.id);
    refuseBarred(device);
    if (device.state !== 'trusted') throw unknownDevice(deviceId);
    return device;
  }

  async #take(address: string, request: ReturnRequest): Promise<PairingRecord> {
    const { pairings, devices } = this.#options;
    const device = devices.get(request.deviceId);
    if (device?.state !== 'trusted') throw unknownDevice(request.deviceId);
    const shown = this.#shown(device, request.certificate);
    if (shown.kind === 'good') {
      throw pairingError('in_force', 'The certificate of this device is in force', {
        hint: 'Connect with it to the node port.',
      });
    }
    const csrDigest = digestOf(request.csr).toString('hex');
    const answered = this.#answeredBefore(device, csrDigest);
    if (answered) return answered;
    const open = pairings.openOf(device.id);
    if (open && !open.returning) {
      throw pairingError('busy', 'This device asks to join with a code at this moment', {
        hint: 'Let that be decided first, or wait until it has ended.',
      });
    }
    const claim = latest(device, shown.notAfter);
    const isSame = open?.csrDigest === csrDigest && open.state === 'pending_approval';
    const pending = isSame
      ? open
      : await this.#submit(device, proofOf(request, csrDigest, address, claim), open);
    const reason = this.#reasonToAllow(shown, claim);
    if (reason === undefined || pending.state !== 'pending_approval') return pending;
    return pairings.ask(pending.id, (reply) => ({
      type: 'approve',
      caller: policyCaller,
      transcript: pending.transcript,
      name: pairings.freeName(pending),
      reason,
      reply,
    }));
  }

  /** What the certificate is worth that the device shows. */
  #shown(device: DeviceRecord, certificate: Uint8Array): Shown {
    const { authority, clock } = this.#options;
    const now = clock.now();
    const fingerprint = createHash('sha256').update(certificate).digest('hex');
    const recorded = device.certificates.find((one) => one.fingerprint === fingerprint);
    if (recorded && now < recorded.notAfter) {
      return { kind: authority.trusts(recorded.issuer) ? 'good' : 'of an old CA' };
    }
    const ours = certificate.length === 0 ? undefined : authority.readDevice(certificate);
    if (recorded || ours?.deviceId !== device.id) return { kind: 'nothing' };
    const { notBefore, notAfter } = ours;
    return { kind: notBefore <= now && now < notAfter ? 'unrecorded' : 'nothing', notAfter };
  }

  /** The pairing that this key was issued a certificate by already, if that is still of use: its answer was lost. */
  #answeredBefore(device: DeviceRecord, csrDigest: string): PairingRecord | undefined {
    const { pairings, authority, clock } = this.#options;
    const issued = pendingFor(device.certificates, csrDigest, {
      now: clock.now(),
      trusts: (issuer) => authority.trusts(issuer),
    });
    if (issued === undefined) return undefined;
    return pairings
      .all()
      .findLast(
        ({ deviceId, state, certificate }) =>
          deviceId === device.id && hasCertificate(state) && certificate === issued,
      );
  }

  /** Why no operator is asked; undefined when one is. */
  #reasonToAllow({ kind }: Shown, certificateExpiresAt: number | undefined): string | undefined {
    const { policy, clock } = this.#options;
    if (kind === 'unrecorded') {
      return 'its certificate is in force and not in the records, as after a backup was restored';
    }
    if (kind === 'of an old CA') return 'its certificate is in force, of a CA that was replaced meanwhile';
    if (policy.mode !== 'allow' || certificateExpiresAt === undefined) return undefined;
    const age = Math.max(0, clock.now() - certificateExpiresAt);
    if (age > policy.maxAgeMs) return undefined;
    const seconds = Math.round(age / 1_000) * 1_000;
    return `its certificate ended ${formatDuration(seconds)} ago, and up to ${formatDuration(policy.maxAgeMs)} are allowed`;
  }

  async #submit(
    device: DeviceRecord,
    proof: PairingProof,
    open: PairingRecord | undefined,
  ): Promise<PairingRecord> {
    const { pairings, lifetime } = this.#options;
    if (this.#budgets.take(device.id, beginnings) !== undefined) {
      throw pairingError('busy', 'This device has asked to come back with too many keys', {
        hint: 'Ask with the same key again, or wait half an hour.',
      });
    }
    const caller = verifiedCaller({ kind: 'device', deviceId: device.id, fingerprint: '' });
    const proven =
      open === undefined
        ? await pairings.create(proof, device.id, device.identityKey, lifetime('proving'))
        : await pairings.ask(open.id, (reply) => ({ type: 'prove', caller, proof, reply }));
    if (proven.state !== 'proving') return proven;
    return pairings.ask(proven.id, (reply) => ({
      type: 'submit',
      caller,
      requested: [],
      proposedName: device.name,
      reply,
    }));
  }
}

/**
 * What a certificate is worth that a device shows. `good`: recorded, in force, of a trusted CA. `of an old CA`: recorded and
 * in force, but its CA was retired since. `unrecorded`: in force and of a trusted CA, but no record says that it was issued.
 */
interface Shown {
  readonly kind: 'good' | 'of an old CA' | 'unrecorded' | 'nothing';
  /** When it ends or ended, if this daemon has issued it. */
  readonly notAfter?: number;
}

/** When the last certificate of a device that is known of has ended, or will. */
function latest(device: DeviceRecord, shown: number | undefined): number | undefined {
  const recorded = certificateEndOf(device);
  return shown === undefined ? recorded : Math.max(shown, recorded ?? 0);
}

function proofOf(
  request: ReturnRequest,
  csrDigest: string,
  peerAddress: string,
  certificateExpiresAt: number | undefined,
): PairingProof {
  return {
    codeId: '',
    transcript: returnTranscript(request.deviceId, digestOf(request.csr)).toString('hex'),
    csr: Buffer.from(request.csr).toString('base64'),
    csrDigest,
    surfaceDigest: '',
    facts: request.facts,
    peerAddress,
    purpose: '',
    labels: {},
    returning: certificateExpiresAt === undefined ? {} : { certificateExpiresAt },
  };
}

function digestOf(csr: Uint8Array): Buffer {
  return createHash('sha256').update(csr).digest();
}

function unknownDevice(deviceId: string) {
  return pairingError('unknown_device', `No device ${deviceId.slice(0, 64)} is enrolled here`, {
    hint: 'Pair the machine: the operator runs `palyra pair`.',
  });
}
