import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import { toAppError } from '../../kernel/errors.js';
import { causeOf } from '../../kernel/journal.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Store } from '../../kernel/store.js';
import { pairingAddress, sendToPairing, startMember } from '../addresses.js';
import type { DeviceAuthority, IssuedCertificate } from '../authority/device-authority.js';
import { refuseBarred } from '../device/bars.js';
import { pendingFor } from '../device/certificates.js';
import type { Devices } from '../device/devices.js';
import type { DeviceEnrolment } from '../device/events.js';
import type { CompiledSurface } from '../device/surface.js';
import { pairingError } from '../errors.js';
import { newId } from '../ids.js';
import { RecordTable, transact } from '../records.js';
import type { ApprovalIntent, PairingInput, PairingIntent, PairingPorts } from './behaviour.js';
import type { PairingCodes } from './codes.js';
import type { PairingEvent, PairingProof, PairingReply } from './events.js';
import { isOpen, type PairingRecord, type PairingState } from './record.js';

const askTimeoutMs = 10_000;

export interface PairingsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly directory: Directory;
  readonly devices: Devices;
  readonly codes: PairingCodes;
  readonly surface: CompiledSurface;
  readonly authority: DeviceAuthority;
  readonly deadlines: Deadlines;
  readonly log: KernelLog;
  /** How long a state may last without progress, milliseconds. */
  lifetime(state: PairingState): number;
}

/**
 * The pairing records and the one way to change them: an event to the pairing's actor. Enrolment (from nodes) and control
 * (from operators) both go through here.
 */
export class Pairings {
  readonly #options: PairingsOptions;
  readonly #table = new RecordTable<PairingRecord>('pairing', (pairing) => pairing.deviceId);
  /** Devices whose first request is being written: a machine has one request, however often it proves itself at once. */
  readonly #creating = new Set<string>();
  readonly #watchers = new Map<string, Set<(record: PairingRecord) => void>>();

  readonly #ports: PairingPorts;

  private constructor(options: PairingsOptions) {
    this.#options = options;
    const { deadlines, clock, lifetime } = options;
    this.#ports = {
      deadlines,
      lifetime,
      now: () => clock.now(),
      commit: (intent) => this.#commit(intent),
      changed: (record) => this.#changed(record),
      isOfUse: (record) => this.#isOfUse(record),
    };
  }

  static async open(options: PairingsOptions): Promise<Pairings> {
    const pairings = new Pairings(options);
    await pairings.#table.load(options.store);
    return pairings;
  }

  get(id: string): PairingRecord | undefined {
    return this.#table.get(id);
  }

  /** @throws AppError `pairing.not_found`. */
  require(id: string): PairingRecord {
    const record = this.#table.get(id);
    if (record) return record;
    throw pairingError('not_found', `There is no pairing ${id}`, {
      hint: 'List them with `palyra pairings list`.',
    });
  }

  all(): readonly PairingRecord[] {
    return [...this.#table.values()];
  }

  /** Those that are not decided for good: their actors live. */
  open(): readonly PairingRecord[] {
    return this.all().filter((record) => isOpen(record.state));
  }

  /** The request under way of a device: a machine that tries again keeps its one request and id. */
  openOf(deviceId: string): PairingRecord | undefined {
    return this.open().find((record) => record.deviceId === deviceId);
  }

  /** The name that the device has already, or else the one that it proposed; the first of `name-2`, `name-3` … when that is taken. */
  freeName({ deviceId, proposedName }: PairingRecord): string {
    const { devices } = this.#options;
    const wanted = devices.get(deviceId)?.name || proposedName;
    const isTaken = (name: string): boolean => (devices.named(name)?.id ?? deviceId) !== deviceId;
    if (!isTaken(wanted)) return wanted;
    let number = 2;
    while (isTaken(`${wanted}-${number}`)) number += 1;
    return `${wanted}-${number}`;
  }

  /** Records a first proof and starts its actor. @throws AppError `pairing.busy` while another one of the device is written. */
  async create(
    proof: PairingProof,
    deviceId: string,
    identityKey: string,
    lifetimeMs: number,
  ): Promise<PairingRecord> {
    if (this.#creating.has(deviceId)) {
      throw pairingError('busy', 'Another proof of this machine is being written', { hint: 'Try again.' });
    }
    this.#creating.add(deviceId);
    try {
      const record = await this.#writeFirst(proof, deviceId, identityKey, lifetimeMs);
      this.#start(record);
      return record;
    } finally {
      this.#creating.delete(deviceId);
    }
  }

  #writeFirst(
    proof: PairingProof,
    deviceId: string,
    identityKey: string,
    lifetimeMs: number,
  ): Promise<PairingRecord> {
    const now = this.#options.clock.now();
    const id = newId('pr', now);
    return transact(this.#options.store, () => {
      const next: PairingRecord = {
        ...proof,
        id,
        version: 1,
        state: 'proving',
        deviceId,
        identityKey,
        wordsTranscript: proof.transcript,
        requested: [],
        proposedName: '',
        alerts: [],
        createdAt: now,
        updatedAt: now,
        expiresAt: now + lifetimeMs,
      };
      const cause = { event: 'prove', by: `device:${deviceId}` };
      return { changes: [this.#table.put(next, cause)], result: next };
    });
  }

  /** Deletes requests that ended before a time, with their journal. Returns how many. */
  prune(endedBefore: number): Promise<number> {
    return transact(this.#options.store, () => {
      const old = this.all().filter(({ state, updatedAt }) => !isOpen(state) && updatedAt < endedBefore);
      return { changes: old.flatMap(({ id }) => this.#table.remove(id)), result: old.length };
    });
  }

  /** Starts the actors of all pairings that are not decided for good. */
  recover(): void {
    for (const record of this.open()) this.#start(record);
  }

  /** What the crashed actor of a pairing starts from. */
  revive(id: string, error: unknown): PairingInput | undefined {
    const record = this.#table.get(id);
    if (!record || !isOpen(record.state)) return undefined;
    this.#noteCrash(id, error);
    return { ports: this.#ports, record };
  }

  /** The record stays as it is; its journal says what happened to its actor. */
  #noteCrash(id: string, error: unknown): void {
    const cause = causeOf({ type: 'crash' }, 'system:daemon', toAppError(error).message);
    transact(this.#options.store, () => {
      const record = this.#table.get(id);
      return { changes: record ? [this.#table.put(record, cause)] : [], result: undefined };
    }).catch((err: unknown) => {
      this.#options.log.error({ err, pairing: id }, 'The crash of a pairing could not be recorded');
    });
  }

  #start(record: PairingRecord): void {
    startMember(this.#options.directory, 'pairings', record.id, { ports: this.#ports, record });
  }

  /**
   * Sends an event to a pairing and waits for its answer.
   *
   * @throws AppError what the pairing answers, `pairing.not_found`, or `pairing.decided` when it has ended.
   */
  async ask(id: string, event: (reply: PairingReply) => PairingEvent): Promise<PairingRecord> {
    const record = this.require(id);
    const target = pairingAddress(id);
    if (!this.#options.directory.has(target)) {
      throw pairingError('decided', `Pairing ${id} is ${record.state} already`, {
        hint: 'A decision stands. Ask the machine to pair again for another one.',
      });
    }
    return this.#options.directory.ask(target, event, { timeoutMs: askTimeoutMs });
  }

  /** Tells a pairing something that an operator should see next to it. */
  alert(id: string, message: string): void {
    sendToPairing(this.#options.directory, id, { type: 'alert', message });
  }

  /** Calls back with each later version of a record. Returns the function that ends this. */
  watch(id: string, onChange: (record: PairingRecord) => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    watchers.add(onChange);
    this.#watchers.set(id, watchers);
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0) this.#watchers.delete(id);
    };
  }

  #changed(record: PairingRecord): void {
    for (const watcher of [...(this.#watchers.get(record.id) ?? [])]) watcher(record);
  }

  /** Writes what a pairing's actor intends; an approval writes certificate, device, code and descriptors with it. */
  async #commit(intent: PairingIntent): Promise<PairingRecord> {
    if (intent.kind === 'approve') return this.#approve(intent);
    return transact(this.#options.store, () => ({
      changes: [this.#table.put(intent.next, intent.cause)],
      result: { ...intent.next, version: this.#nextVersion(intent.next.id) },
    }));
  }

  async #approve({ next, cause, caller }: ApprovalIntent): Promise<PairingRecord> {
    const { authority, store, devices, codes, surface } = this.#options;
    refuseBarred(devices.get(next.deviceId));
    this.#refuseTakenName(next);
    const prepared = await surface.prepare(next.requested.map(({ descriptor }) => descriptor));
    try {
      const certificate = await authority.issueDevice(Buffer.from(next.csr, 'base64'), next.deviceId);
      const build = () => {
        this.#refuseTakenName(next);
        const approved: PairingRecord = {
          ...next,
          certificate: certificate.pem,
          version: this.#nextVersion(next.id),
        };
        return {
          changes: [
            this.#table.put(approved, cause),
            devices.enrol(
              next.deviceId,
              { type: 'enrol', caller, enrolment: enrolmentOf(approved, certificate) },
              cause,
            ),
            ...codes.use(next.codeId),
            ...prepared.changes(),
          ],
          result: approved,
        };
      };
      const record = await devices.inTurn(() => transact(store, build));
      prepared.adopt();
      return record;
    } finally {
      prepared.release();
    }
  }

  #isOfUse({ deviceId, csrDigest, certificate }: PairingRecord): boolean {
    const { devices, authority, clock } = this.#options;
    const issued = pendingFor(devices.get(deviceId)?.certificates ?? [], csrDigest, {
      now: clock.now(),
      trusts: (issuer) => authority.trusts(issuer),
    });
    return issued !== undefined && issued === certificate;
  }

  #nextVersion(id: string): number {
    return (this.#table.get(id)?.version ?? 0) + 1;
  }

  #refuseTakenName(next: PairingRecord): void {
    const name = next.decision?.name ?? '';
    const holder = this.#options.devices.named(name);
    if (holder === undefined || holder.id === next.deviceId) return;
    throw pairingError('name_taken', `Another node is named ${name}`, {
      fields: [{ field: 'name', message: 'is taken' }],
      hint: 'Choose another one: `palyra pairings approve ID --name NAME`.',
    });
  }
}

/** What the approval brings to the device's record. */
function enrolmentOf(pairing: PairingRecord, certificate: IssuedCertificate): DeviceEnrolment {
  const { identityKey, labels, facts, decision, proposedName, requested, updatedAt, csrDigest } = pairing;
  return {
    name: decision?.name ?? proposedName,
    identityKey,
    labels,
    facts,
    certificate,
    csrDigest,
    approvals: requested.map(({ digest, capability, buildDigest }) => ({
      digest,
      capability,
      buildDigest,
      approvedBy: decision?.by ?? '',
      approvedAt: updatedAt,
    })),
  };
}
