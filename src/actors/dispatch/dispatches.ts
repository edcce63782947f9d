import { createHash } from 'node:crypto';
import { callerLabel, holdsRole, type VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import { AppError, toAppError } from '../../kernel/errors.js';
import type { KernelLog } from '../../kernel/log.js';
import type { PutOperation, Store } from '../../kernel/store.js';
import type { Catalog, CatalogEntry } from '../../plugins/catalog.js';
import { dispatchAddress, sendToDispatch, sendToSession, startMember } from '../addresses.js';
import type { CreateDispatch, DispatchControl } from '../control.js';
import type { Devices } from '../device/devices.js';
import type { DeviceRecord } from '../device/record.js';
import type { CompiledSurface } from '../device/surface.js';
import { dispatchError } from '../errors.js';
import { newId } from '../ids.js';
import type { NodeResult } from '../link/frames.js';
import { eachStored, fromStored } from '../records.js';
import type { SessionEvent } from '../session/machine.js';
import { presenceOf } from '../session/presence.js';
import type { Sessions } from '../session/sessions.js';
import { judgeResult } from './judge.js';
import type { LiveDispatches } from './live.js';
import type { DispatchInput, DispatchPorts } from './machine.js';
import { type DispatchRecord, type DispatchState, isTerminal, liveDispatchStates } from './record.js';
import type { DispatchRecorder } from './recorder.js';
import { resolveCapability, resolveNode } from './targets.js';

export interface DispatchLimits {
  /** Bytes of JSON. */
  readonly input: number;
  /** Bytes of JSON. */
  readonly output: number;
  /** Unfinished dispatches of one node. */
  readonly perNode: number;
}

export interface DispatchesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly directory: Directory;
  readonly log: KernelLog;
  readonly devices: Devices;
  readonly surface: CompiledSurface;
  readonly catalog: Catalog;
  readonly recorder: DispatchRecorder;
  readonly live: LiveDispatches;
  readonly sessions: Sessions;
  readonly limits: DispatchLimits;
}

const mediationLimitMs = 120_000;
const queueLifetimeMs = 24 * 3_600_000;
const maxTimeoutMs = 24 * 3_600_000;
/** What a waiting caller gets on top of the handler's time, for the way there and back, milliseconds. */
const waitMarginMs = 5_000;

/** Everything that happens with dispatches outside of their actors: creation, waiting, and what is asked of the records. */
export class Dispatches implements DispatchControl {
  readonly #options: DispatchesOptions;
  readonly #waiters = new Map<string, Set<(record: DispatchRecord) => void>>();
  readonly #ports: DispatchPorts;
  #stopping = false;
  #onEnded: (() => void) | undefined;

  constructor(options: DispatchesOptions) {
    this.#options = options;
    const { deadlines, clock, recorder, live } = options;
    this.#ports = {
      deadlines,
      clock,
      offer: (record) => this.#offer(record),
      withdraw: (record) => this.#toSession(record.deviceId, { type: 'withdraw', dispatchId: record.id }),
      cancelAtNode: (record, reason) =>
        this.#toSession(record.deviceId, { type: 'stop', order: { dispatchId: record.id, reason } }),
      judge: (record, result) => judgeResult(options.catalog, options.limits.output, record, result),
      recordFirst: (record, done) => {
        live.set(record);
        recorder.now(record, 'fsync').then(done, () => undefined);
      },
      changed: (record) => {
        live.set(record);
        recorder.later(record);
      },
      ended: (record) => this.#ended(record),
    };
  }

  /** Starts the actors of all dispatches that have not ended: after a start of the daemon, or of their crowd. */
  async recover(): Promise<number> {
    const { live, recorder } = this.#options;
    for await (const stored of eachStored(this.#options.store, 'dispatch', liveDispatchStates)) {
      if (live.get(stored.id)) continue;
      const record = fromStored<DispatchRecord>(stored);
      recorder.adopt(record);
      live.set(record);
    }
    for (const record of live.all()) {
      if (!isTerminal(record.state)) this.#start({ ports: this.#ports, record, fresh: false });
    }
    return live.size;
  }

  /** From now on nothing new is accepted. */
  stopAccepting(): void {
    this.#stopping = true;
  }

  /** Waits until everything that can end soon has ended, at most `limitMs`; what is queued or offline is not waited for. */
  drained(limitMs: number): Promise<void> {
    const { deadlines, live, sessions } = this.#options;
    const isPending = (): boolean =>
      [...live.all()].some((record) => sessions.live(record.deviceId) !== undefined);
    if (!isPending()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        deadlines.release(finish);
        this.#onEnded = undefined;
        resolve();
      };
      this.#onEnded = () => {
        if (!isPending()) finish();
      };
      deadlines.set(finish, limitMs, finish, { label: 'drain' });
    });
  }

  /** What a crashed actor of a dispatch starts from; undefined when it has ended. */
  revive(id: string): DispatchInput | undefined {
    const record = this.#options.live.get(id);
    if (!record || isTerminal(record.state)) return undefined;
    return { ports: this.#ports, record, fresh: false };
  }

  /** Its actor crashed twice: it ends with the truth that is left (spec section 3). */
  abandon(id: string, error: unknown): void {
    const record = this.#options.live.get(id);
    if (!record || isTerminal(record.state)) return;
    const at = this.#options.clock.now();
    const failed = record.sentInEpoch === 0;
    const outcome = {
      state: failed ? ('failed' as const) : ('outcome_unknown' as const),
      reason: 'crashed',
      error: toAppError(error).toEnvelope(),
    };
    const note = outcome.error.message;
    this.#ended({
      ...record,
      state: outcome.state,
      outcome,
      updatedAt: at,
      finishedAt: at,
      steps: [...record.steps, { at, to: outcome.state, by: 'system:daemon', note }],
    });
  }

  async create(caller: VerifiedCaller, request: CreateDispatch): Promise<DispatchRecord> {
    if (this.#stopping)
      throw dispatchError('stopping', 'The daemon is stopping', { hint: 'Try again in a moment.' });
    requireInvoker(caller);
    const { devices, surface, catalog, live, limits, sessions, clock } = this.#options;
    const device = resolveNode(devices, request.node);
    const entry = resolveCapability(device, request.capability, surface, catalog);
    this.#checkInput(entry, request.input);
    const presence = presenceOf(sessions.live(device.id), clock.monotonic());
    if (presence === 'offline' && !request.queue) throw offline(device, clock.now());
    if (live.countOf(device.id) >= limits.perNode) {
      throw dispatchError('busy', `Node ${device.name} has ${limits.perNode} unfinished dispatches`, {
        hint: 'Wait until some have ended, or raise dispatch.queuePerNode in palyra.yaml.',
      });
    }
    const record = this.#record(caller, request, device, entry);
    const accepted =
      record.repeatable && request.wait === true
        ? this.#sendAtOnce(record)
        : await this.#writeFirst(record, caller, request);
    return request.wait === true ? this.#wait(accepted) : accepted;
  }

  async get(_caller: VerifiedCaller, id: string): Promise<DispatchRecord> {
    return this.#require(id);
  }

  async list(
    _caller: VerifiedCaller,
    filter: {
      readonly states?: readonly DispatchState[];
      readonly deviceId?: string;
      readonly limit?: number;
      readonly cursor?: string;
    },
  ): Promise<{ readonly dispatches: readonly DispatchRecord[]; readonly next?: string }> {
    const page = await this.#options.store.list({
      kind: 'dispatch',
      order: 'descending',
      ...(filter.states ? { states: filter.states } : {}),
      ...(filter.deviceId === undefined ? {} : { owner: filter.deviceId }),
      ...(filter.limit === undefined ? {} : { limit: filter.limit }),
      ...(filter.cursor === undefined ? {} : { cursor: filter.cursor }),
    });
    return {
      dispatches: page.records.map(
        (stored) => this.#options.live.get(stored.id) ?? fromStored<DispatchRecord>(stored),
      ),
      ...(page.next === undefined ? {} : { next: page.next }),
    };
  }

  async cancel(caller: VerifiedCaller, id: string, reason: string): Promise<DispatchRecord> {
    requireInvoker(caller);
    const record = await this.#require(id);
    if (isTerminal(record.state) || !this.#options.directory.has(dispatchAddress(id))) {
      throw dispatchError('already_ended', `Dispatch ${id} is ${record.state} already`);
    }
    const { directory, live, recorder } = this.#options;
    sendToDispatch(directory, id, { type: 'cancel', caller, reason });
    // The wish is on disk before anybody is told so.
    const wished = live.get(id);
    if (wished && !isTerminal(wished.state)) await recorder.now(wished, 'fsync');
    return this.#require(id);
  }

  /** A result for a dispatch without an actor: the resolution of an unknown outcome, a late one, or an orphan. */
  late(deviceId: string, result: NodeResult): void {
    this.#late(deviceId, result).catch((err: unknown) => {
      this.#options.log.error({ err, dispatch: result.dispatchId }, 'A late result could not be recorded');
    });
  }

  async #late(deviceId: string, result: NodeResult): Promise<void> {
    const { store, log, catalog, limits, clock } = this.#options;
    const stored = await store.get('dispatch', result.dispatchId);
    const record = stored && fromStored<DispatchRecord>(stored);
    if (record && record.deviceId !== deviceId) {
      log.warn(
        { device: deviceId, dispatch: result.dispatchId },
        'A node sent a result for a dispatch of another device',
      );
      return;
    }
    if (record && !isTerminal(record.state)) return;
    // A node that says again that it does not know resolves nothing.
    if (record?.state === 'outcome_unknown' && !record.resolution && result.outcome !== 'unknown') {
      const at = clock.now();
      const resolution = judgeResult(catalog, limits.output, record, result);
      const by = `device:${deviceId}`;
      const steps = [...record.steps, { at, to: 'resolution' as const, by, note: resolution.state }];
      const next: DispatchRecord = { ...record, resolution, updatedAt: at, steps };
      this.#options.recorder.adopt(record);
      await this.#options.recorder.last(next, 'fsync', () => this.#settle(next));
      return;
    }
    log.warn(
      { device: deviceId, dispatch: result.dispatchId, known: record !== undefined },
      'A late result changes nothing',
    );
    this.#toSession(deviceId, { type: 'settled', dispatchId: result.dispatchId });
  }

  #checkInput(entry: CatalogEntry, input: unknown): void {
    const size = Buffer.byteLength(JSON.stringify(input) ?? 'null');
    if (size > this.#options.limits.input) {
      throw dispatchError(
        'input_too_large',
        `The input has ${size} bytes, more than ${this.#options.limits.input}`,
        {
          fields: [{ field: 'input', message: 'is too large' }],
          hint: 'Send less, or raise dispatch.inputLimit in palyra.yaml.',
        },
      );
    }
    const fields = entry.input.check(input);
    if (fields.length === 0) return;
    throw dispatchError('invalid_input', `The input does not fit ${entry.descriptor.name}`, {
      fields: fields.map(({ field, message }) => ({ field: `input${field}`, message })),
      hint: 'Its schema is in the plugin’s README and in `palyra inventory --json`.',
    });
  }

  #record(
    caller: VerifiedCaller,
    request: CreateDispatch,
    device: DeviceRecord,
    entry: CatalogEntry,
  ): DispatchRecord {
    const now = this.#options.clock.now();
    const { descriptor, digest } = entry;
    const timeoutMs = request.timeoutMs ?? entry.timeoutMs;
    if (!(timeoutMs >= 1 && timeoutMs <= maxTimeoutMs)) {
      throw dispatchError('invalid_request', 'A dispatch may run from 1 ms to 24 h', {
        fields: [{ field: 'timeoutMs', message: `must be 1 to ${maxTimeoutMs}` }],
      });
    }
    const mediationTimeoutMs = descriptor.mediation.mode === 'local' ? mediationLimitMs : 0;
    const deliverBy = now + (request.wait === true && !request.queue ? timeoutMs : queueLifetimeMs);
    const harmless = descriptor.idempotent || descriptor.readOnly;
    const idempotencyKey = request.idempotencyKey ?? (harmless ? undefined : request.keyIfNeeded);
    const by = callerLabel(caller);
    return {
      id: newId('dp', now),
      version: 0,
      state: 'queued',
      deviceId: device.id,
      capability: descriptor.name,
      descriptorDigest: digest,
      input: request.input,
      caller: by,
      labels: request.labels ?? {},
      repeatable: harmless && idempotencyKey === undefined,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      timeoutMs,
      mediationTimeoutMs,
      createdAt: now,
      updatedAt: now,
      deliverBy,
      latestEnd: deliverBy + timeoutMs + mediationTimeoutMs,
      // The session it goes out in, if there is one: by protocol.md 18 the record says so before it may be sent.
      sentInEpoch: this.#options.sessions.live(device.id)?.epoch ?? 0,
      steps: [{ at: now, to: 'queued', by }],
    };
  }

  /** Protocol.md 18: repeatable work that a caller waits for goes out at once; its row follows with the next group. */
  #sendAtOnce(record: DispatchRecord): DispatchRecord {
    this.#options.live.set(record);
    this.#options.recorder.later(record);
    this.#start({ ports: this.#ports, record, fresh: true });
    return record;
  }

  async #writeFirst(
    record: DispatchRecord,
    caller: VerifiedCaller,
    request: CreateDispatch,
  ): Promise<DispatchRecord> {
    const { recorder, live } = this.#options;
    const key =
      record.idempotencyKey === undefined
        ? undefined
        : idempotencyEntry(record, caller, record.idempotencyKey);
    if (key) {
      const earlier = await this.#earlier(key, request);
      if (earlier) return earlier;
    }
    try {
      // Counted from now on, so that the bound per node holds while the write is under way.
      live.set(record);
      await recorder.now(record, 'fsync', key ? [key] : []);
    } catch (thrown) {
      live.delete(record);
      const raced = key && thrown instanceof AppError && thrown.code === 'store.conflict';
      const earlier = raced ? await this.#earlier(key, request) : undefined;
      if (earlier) return earlier;
      throw thrown;
    }
    this.#start({ ports: this.#ports, record, fresh: true });
    return record;
  }

  async #earlier(key: PutOperation, request: CreateDispatch): Promise<DispatchRecord | undefined> {
    const stored = await this.#options.store.get(key.kind, key.id);
    if (!stored) return undefined;
    const { dispatchId, requestDigest } = stored.data as IdempotencyData;
    if (requestDigest !== (key.data as IdempotencyData).requestDigest) {
      throw dispatchError(
        'key_conflict',
        `The idempotency key was used for another request (${dispatchId})`,
        {
          fields: [{ field: 'idempotencyKey', message: 'belongs to another request' }],
          hint: `Use a new key for a new request to ${request.capability}.`,
          details: { dispatchId },
        },
      );
    }
    return this.#require(dispatchId);
  }

  #start(input: DispatchInput): void {
    const { directory, sessions } = this.#options;
    const { id, deviceId, sentInEpoch } = input.record;
    startMember(directory, 'dispatches', id, input);
    const session = sessions.live(deviceId);
    // A session that went live before this actor was there has told it nothing, and won't again.
    if (session === undefined || sentInEpoch > 0) return;
    sendToDispatch(directory, id, {
      type: 'settle',
      epoch: session.epoch,
      phase: 'none',
      ticketMatches: true,
    });
  }

  #offer(record: DispatchRecord): boolean {
    this.#options.live.set(record);
    return this.#toSession(record.deviceId, {
      type: 'offer',
      order: {
        dispatchId: record.id,
        capability: record.capability,
        descriptorDigest: record.descriptorDigest,
        input: Buffer.from(JSON.stringify(record.input) ?? 'null'),
        timeoutMs: record.timeoutMs,
        latestEndMs: record.latestEnd,
        caller: record.caller,
        mediationTimeoutMs: record.mediationTimeoutMs,
        repeatable: record.repeatable,
      },
    });
  }

  #toSession(deviceId: string, event: SessionEvent): boolean {
    const { directory, sessions } = this.#options;
    return sessions.live(deviceId) !== undefined && sendToSession(directory, deviceId, event);
  }

  #ended(record: DispatchRecord): void {
    const { live, recorder, log } = this.#options;
    live.set(record);
    recorder
      .last(record, record.repeatable ? 'wal' : 'fsync', () => this.#settle(record))
      .then(
        () => {
          live.delete(record);
          const waiters = this.#waiters.get(record.id);
          this.#waiters.delete(record.id);
          for (const waiter of waiters ?? []) waiter(record);
          this.#onEnded?.();
        },
        (err: unknown) =>
          log.error({ err, dispatch: record.id }, 'The end of a dispatch could not be written'),
      );
  }

  /** The record is on disk: the node may forget what it kept of it. */
  #settle(record: DispatchRecord): void {
    if (record.sentInEpoch > 0) this.#toSession(record.deviceId, { type: 'settled', dispatchId: record.id });
  }

  #wait(record: DispatchRecord): Promise<DispatchRecord> {
    const { live, deadlines, clock } = this.#options;
    if (!live.get(record.id)) return this.#require(record.id);
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(record.id) ?? new Set();
      this.#waiters.set(record.id, waiters);
      const waiter = (ended: DispatchRecord): void => {
        deadlines.release(waiter);
        resolve(ended);
      };
      waiters.add(waiter);
      const limit =
        record.createdAt + record.timeoutMs + record.mediationTimeoutMs + waitMarginMs - clock.now();
      deadlines.set(waiter, Math.max(0, limit), () => {
        waiters.delete(waiter);
        reject(waitTimeout(live.get(record.id) ?? record));
      });
    });
  }

  async #require(id: string): Promise<DispatchRecord> {
    const live = this.#options.live.get(id);
    if (live) return live;
    const stored = await this.#options.store.get('dispatch', id);
    if (stored) return fromStored<DispatchRecord>(stored);
    throw dispatchError('not_found', `There is no dispatch ${id}`, {
      hint: 'Check the id: `palyra invoke --json` shows it.',
    });
  }
}

interface IdempotencyData {
  readonly dispatchId: string;
  readonly requestDigest: string;
}

function sha256(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

/** The row that makes a key unique: written with the dispatch or not at all. Keys of different callers do not meet. */
function idempotencyEntry(record: DispatchRecord, caller: VerifiedCaller, key: string): PutOperation {
  const data: IdempotencyData = {
    dispatchId: record.id,
    requestDigest: sha256(record.deviceId, record.capability, JSON.stringify(record.input) ?? 'null'),
  };
  return {
    op: 'put',
    kind: 'idempotency',
    id: sha256(callerLabel(caller), key),
    expect: 0,
    state: '',
    owner: record.deviceId,
    createdAt: record.createdAt,
    updatedAt: record.createdAt,
    data,
  };
}

function requireInvoker(caller: VerifiedCaller): void {
  if (holdsRole(caller, 'invoker')) return;
  throw dispatchError('forbidden', `${callerLabel(caller)} may not run capabilities`, {
    hint: 'It takes a token with the role invoker.',
  });
}

function offline(device: DeviceRecord, now: number): AppError {
  const seen =
    device.lastSeenAt === undefined
      ? ''
      : `, last seen ${Math.round((now - device.lastSeenAt) / 1000)} s ago`;
  return dispatchError('node_offline', `Node ${device.name} is offline${seen}`, {
    hint: 'Start it with `palyra node run`, or use --queue to have it run when the node is back.',
  });
}

function waitTimeout(record: DispatchRecord): AppError {
  return dispatchError('wait_timeout', `Dispatch ${record.id} has not ended in time; it is ${record.state}`, {
    hint: `It goes on. Look at it with \`palyra dispatches show ${record.id}\`.`,
    details: { dispatchId: record.id, state: record.state },
  });
}
