import { randomBytes } from 'node:crypto';
import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { AppError } from '../../kernel/errors.js';
import { type Cause, causeOf } from '../../kernel/journal.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Store } from '../../kernel/store.js';
import { type CloneDecision, type DecidedClone, decideClone } from '../clone/decision.js';
import { deviceError, sessionError } from '../errors.js';
import { type Change, RecordTable, transact } from '../records.js';
import { barOf, barText, liftHint } from './bars.js';
import type { DeviceDecisionEvent, DeviceEvent } from './events.js';
import { labelChangeText } from './labels.js';
import { decideDevice, unknownDevice } from './machine.js';
import type { DeviceAlert, DeviceRecord } from './record.js';
import { mergeRevocations } from './revocation-merge.js';
import type { Revocation, RevocationLog } from './revocations.js';

const maxAlerts = 20;

export interface DevicesOptions {
  readonly store: Store;
  readonly revocations: RevocationLog;
  readonly clock: Clock;
  readonly log: KernelLog;
}

/** A decision that has been written. */
export interface DecidedDevice {
  readonly device: DeviceRecord;
  /** As it was; undefined for an id that was not here. */
  readonly before: DeviceRecord | undefined;
  readonly caller: VerifiedCaller;
  readonly action: DeviceDecisionEvent['type'] | CloneDecision['action'];
  readonly reason: string;
  /** How the session that the device has is to end, if its state does not say so already. */
  readonly ends: DecidedClone['ends'];
}

/** What a change that is not a decision may touch. */
type DevicePatch = Partial<Omit<DeviceRecord, 'id' | 'version' | 'state' | 'decisions'>>;

/**
 * Every device that was ever approved or banned, in memory and written through. Its `state` changes by
 * {@link Devices.decide} and {@link Devices.enrol} only, which go through the table of transitions.
 */
export class Devices {
  readonly #table = new RecordTable<DeviceRecord>('device', (device) => device.id);
  readonly #options: DevicesOptions;
  readonly #listeners: ((decided: DecidedDevice) => void)[] = [];
  /** Decisions are made one after the other, so that each is written to the file and to the database in one order. */
  #decisions: Promise<unknown> = Promise.resolve();

  private constructor(options: DevicesOptions) {
    this.#options = options;
  }

  /** Reads all devices from the store, and bars those that the file of revocations bars and the store does not. */
  static async open(options: DevicesOptions): Promise<Devices> {
    const devices = new Devices(options);
    await devices.#table.load(options.store);
    await mergeRevocations(devices.#table, options);
    return devices;
  }

  get(id: string): DeviceRecord | undefined {
    return this.#table.get(id);
  }

  all(): IterableIterator<DeviceRecord> {
    return this.#table.values();
  }

  /**
   * Carries out what an operator decided: a decision about trust is in the file of revocations, on disk, before it is in the
   * database, so that a daemon that dies in between trusts too few rather than too many (protocol.md 16).
   *
   * @param expected the version that the operator saw; left out when any will do.
   * @throws AppError `device.changed` for another version, what {@link decideDevice} throws, `device.name_taken`,
   *   `revocations.unwritable`.
   */
  decide(id: string, event: DeviceDecisionEvent, expected?: number): Promise<DeviceRecord> {
    return this.inTurn(() => this.#decide(id, event, expected));
  }

  /**
   * Does what depends on more than one device, such as that no other goes by a name, when the decisions before it are written,
   * and lets those after it wait.
   */
  inTurn<T>(decide: () => Promise<T>): Promise<T> {
    const decided = this.#decisions.then(decide);
    this.#decisions = decided.catch(() => undefined);
    return decided;
  }

  /**
   * Carries out what an operator decided about another host that came with a device's identity.
   *
   * @param expected the version of the device that the operator saw; left out when any will do.
   * @throws AppError `device.changed` for another version, `device.not_found`, and what {@link decideClone} throws.
   */
  decideClone(id: string, decision: CloneDecision, expected?: number): Promise<DeviceRecord> {
    return this.inTurn(() => this.#decideClone(id, decision, expected));
  }

  /** Calls back after each decision that was written, in the same turn in which it became visible. */
  onDecided(listener: (decided: DecidedDevice) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * The change that makes the device a trusted one, for the transaction of its approval, {@link Devices.inTurn}.
   *
   * @throws AppError `pairing.device_barred`, `device.forbidden`.
   */
  enrol(id: string, event: Extract<DeviceEvent, { type: 'enrol' }>, cause: Cause): Change {
    return this.#table.put(decideDevice(id, this.get(id), event, this.#options.clock.now()), cause);
  }

  /**
   * Changes what is known of one device. `change` gets the record as it is when the commit is tried; `undefined` leaves it.
   *
   * @param cause what led to it, for the device's journal; left out for what a session notes, such as a time.
   * @throws AppError `session.unknown_device` when there is none, and what the store throws.
   */
  async update(
    id: string,
    change: (device: DeviceRecord) => DevicePatch | undefined,
    now: number,
    cause?: Cause,
  ): Promise<DeviceRecord> {
    const { device } = await this.change(
      id,
      (current) => ({ patch: change(current), cause, result: undefined }),
      now,
    );
    return device;
  }

  /**
   * As {@link update}, for a change that says by itself what led to it and what comes of it.
   *
   * @throws AppError `session.unknown_device` when there is none, and what the store throws.
   */
  change<T>(
    id: string,
    change: (device: DeviceRecord) => {
      readonly patch: DevicePatch | undefined;
      readonly cause: Cause | undefined;
      readonly result: T;
    },
    now: number,
  ): Promise<{ readonly device: DeviceRecord; readonly result: T }> {
    return transact(this.#options.store, () => {
      const device = this.#require(id);
      const { patch, cause, result } = change(device);
      if (!patch) return { changes: [], result: { device, result } };
      const next = { ...device, ...patch, version: device.version + 1, updatedAt: now };
      return { changes: [this.#table.put(next, cause)], result: { device: next, result } };
    });
  }

  /** Adds something that an operator should look at; the latest 20 are kept. */
  async alert(id: string, alert: DeviceAlert): Promise<void> {
    await this.update(id, (device) => ({ alerts: [...device.alerts, alert].slice(-maxAlerts) }), alert.at);
  }

  /** Who goes by a name. Those of whom nothing but the id is left have given theirs back. */
  named(name: string): DeviceRecord | undefined {
    for (const device of this.all()) if (device.name === name && hasName(device)) return device;
    return undefined;
  }

  /**
   * The device behind a verified connection, or the reason why it may not speak. Called for every call and message.
   *
   * @throws AppError `session.unknown_device`, `session.revoked`, `session.unknown_certificate`.
   */
  authenticate(deviceId: string, fingerprint: string): DeviceRecord {
    const device = this.#require(deviceId);
    const bar = barOf(device);
    if (bar) throw sessionError('revoked', barText(deviceId, bar), { hint: liftHint(device) });
    if (!device.certificates.some((certificate) => certificate.fingerprint === fingerprint)) {
      throw sessionError(
        'unknown_certificate',
        'The daemon did not issue this certificate, or has replaced it',
        {
          hint: 'The host asks to come back by itself. Otherwise pair the machine again: `palyra pair`.',
        },
      );
    }
    return device;
  }

  async #decide(id: string, event: DeviceDecisionEvent, expected: number | undefined): Promise<DeviceRecord> {
    const { store, revocations, clock } = this.#options;
    const now = clock.now();
    requireVersion(id, this.get(id), expected);
    // What can't be done is refused before it stands in the file. Nothing that happens meanwhile makes it impossible:
    // decisions wait for each other, and a device that is enrolled or renewed can still be barred.
    this.#next(id, event, now);
    const revocation = revocationOf(id, event, now);
    if (revocation) await revocations.append(revocation);
    const { device, before } = await transact(store, () => {
      const before = this.get(id);
      const next = { ...this.#next(id, event, now), version: (before?.version ?? 0) + 1 };
      const cause = causeOf(event, '', noteOf(event));
      return { changes: [this.#table.put(next, cause)], result: { device: next, before } };
    });
    const { type: action, caller, reason } = event;
    this.#tell({ device, before, caller, action, reason, ends: undefined });
    return device;
  }

  async #decideClone(
    id: string,
    decision: CloneDecision,
    expected: number | undefined,
  ): Promise<DeviceRecord> {
    const now = this.#options.clock.now();
    const known = this.get(id);
    if (known === undefined) throw unknownDevice(id);
    requireVersion(id, known, expected);
    const worthless = randomBytes(32).toString('base64url');
    const { device, result: ends } = await this.change(
      id,
      (current) => {
        const { clone, clones, ticket, ends } = decideClone(current, decision, worthless, now);
        const event = { type: `clone.${decision.action}`, caller: decision.caller };
        const cause = causeOf(event, '', `${clone.id}: ${decision.reason}`);
        return { patch: { clones, ticket }, cause, result: ends };
      },
      now,
    );
    const { action, caller, reason } = decision;
    this.#tell({ device, before: known, caller, action, reason, ends });
    return device;
  }

  #tell(decided: DecidedDevice): void {
    for (const listener of this.#listeners) listener(decided);
  }

  #next(id: string, event: DeviceDecisionEvent, now: number) {
    if (event.type === 'rename') this.#refuseTakenName(id, event.name);
    return decideDevice(id, this.get(id), event, now);
  }

  #refuseTakenName(id: string, name: string): void {
    const holder = this.named(name);
    if (holder === undefined || holder.id === id) return;
    throw deviceError('name_taken', `Another node is named ${name}`, {
      fields: [{ field: 'name', message: 'is taken' }],
      hint: 'Choose another one, or rename that one first.',
    });
  }

  #require(id: string): DeviceRecord {
    const device = this.#table.get(id);
    if (device) return device;
    throw sessionError('unknown_device', `No device ${id} is enrolled here`, {
      hint: 'Pair the machine first: the operator runs `palyra pair`.',
    });
  }
}

/** Whether an error is the daemon's final word on a device rather than a passing fault. */
export function isRefusal(error: AppError): boolean {
  return error.code.startsWith('session.') && !error.retryable;
}

function hasName({ state }: DeviceRecord): boolean {
  return state === 'trusted' || state === 'revoked';
}

function requireVersion(id: string, device: DeviceRecord | undefined, expected: number | undefined): void {
  const version = device?.version ?? 0;
  if (expected === undefined || expected === version) return;
  throw deviceError('changed', `Device ${id} is at version ${version}, not ${expected}`, {
    hint: 'Look at it again with `palyra devices show`, then decide.',
  });
}

/** What the journal says of a decision: the record that is left has the labels, and not what became of them. */
function noteOf(event: DeviceDecisionEvent): string {
  if (event.type !== 'label') return event.reason;
  return [labelChangeText(event), event.reason].filter((part) => part !== '').join(': ');
}

function revocationOf(deviceId: string, event: DeviceDecisionEvent, at: number): Revocation | undefined {
  if (event.type === 'rename' || event.type === 'label' || event.type === 'rotate') return undefined;
  const by = causeOf(event, '').by;
  const action = event.type === 'leave' ? 'remove' : event.type;
  return { deviceId, action, at, by, reason: event.reason };
}
