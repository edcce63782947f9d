import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import { toAppError } from '../../kernel/errors.js';
import { type Cause, causeOf } from '../../kernel/journal.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Store } from '../../kernel/store.js';
import { dispatchAddress, sendToDispatch, sendToSession, startMember } from '../addresses.js';
import { barOf, type DeviceBar } from '../device/bars.js';
import { dispatchError } from '../errors.js';
import type { NodeResult } from '../link/frames.js';
import { eachStored, fromStored } from '../records.js';
import type { SessionEvent } from '../session/machine.js';
import { type AdmissionOptions, requireInvoker } from './admission.js';
import type { DispatchInput, DispatchPorts } from './behaviour.js';
import { DispatchCreation } from './creation.js';
import { orderOf } from './draft.js';
import { judgeResult } from './judge.js';
import { type LateResultCounts, LateResults } from './late-results.js';
import { DispatchReads } from './reads.js';
import { type DispatchRecord, isTerminal, liveDispatchStates } from './record.js';
import type { DispatchRecorder } from './recorder.js';
import { retryRequest } from './retry.js';
import { DispatchSearch } from './search.js';
import { note, step } from './steps.js';
import type {
  CreateDispatch,
  DispatchControl,
  DispatchFilter,
  DispatchForecast,
  DispatchPage,
  RetryDispatch,
} from './view.js';
import { DispatchWaiters } from './waiters.js';

export interface DispatchesOptions extends AdmissionOptions {
  /** A dispatch of a fan-out has ended, and that is written. */
  endedOfFanout?(fanoutId: string, record: DispatchRecord): void;
  readonly store: Store;
  readonly deadlines: Deadlines;
  readonly directory: Directory;
  readonly log: KernelLog;
  readonly recorder: DispatchRecorder;
  readonly limits: AdmissionOptions['limits'] & {
    /** Bytes of JSON. */
    readonly output: number;
  };
}

/** Everything that happens with dispatches outside of their actors: creation, waiting, and what is asked of the records. */
export class Dispatches implements DispatchControl {
  readonly #options: DispatchesOptions;
  readonly #waiters: DispatchWaiters;
  readonly #lateResults: LateResults;
  readonly #ports: DispatchPorts;
  readonly #reads: DispatchReads;
  readonly #search: DispatchSearch;
  readonly #creation: DispatchCreation;
  #onEnded: (() => void) | undefined;

  constructor(options: DispatchesOptions) {
    this.#options = options;
    const { deadlines, clock, recorder, live } = options;
    this.#reads = new DispatchReads(options);
    this.#search = new DispatchSearch(options);
    this.#waiters = new DispatchWaiters(deadlines, live);
    this.#lateResults = new LateResults({
      ...options,
      outputLimit: options.limits.output,
      settled: (deviceId, dispatchId) => this.#toSession(deviceId, { type: 'settled', dispatchId }),
    });
    this.#creation = new DispatchCreation({
      ...options,
      reads: this.#reads,
      isHeld: (record) => this.#isHeld(record),
      start: (record) => this.#start({ ports: this.#ports, record, fresh: true }),
    });
    this.#ports = {
      deadlines,
      clock,
      isHeld: (record) => this.#isHeld(record),
      offer: (record) => this.#offer(record),
      withdraw: (record) => this.#toSession(record.deviceId, { type: 'withdraw', dispatchId: record.id }),
      cancelAtNode: (record, reason) =>
        this.#toSession(record.deviceId, { type: 'stop', order: { dispatchId: record.id, reason } }),
      judge: (record, result) => judgeResult(options.catalog, options.limits.output, record, result),
      barOf: (record) => this.#barOf(record),
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
    this.#creation.stopAccepting();
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
  revive(id: string, error: unknown): DispatchInput | undefined {
    const { live, clock } = this.#options;
    const before = live.get(id);
    if (!before || isTerminal(before.state)) return undefined;
    const record = note(before, 'crashed', clock.now(), crashOf(error));
    this.#ports.changed(record);
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
    this.#ended({ ...step(record, outcome.state, at, crashOf(error)), outcome, finishedAt: at });
  }

  async create(caller: VerifiedCaller, request: CreateDispatch, gone?: AbortSignal): Promise<DispatchRecord> {
    const accepted = await this.#creation.create(caller, request);
    return this.#told(accepted, request.wait, gone);
  }

  foresee(caller: VerifiedCaller, request: CreateDispatch): Promise<DispatchForecast> {
    return this.#creation.foresee(caller, request);
  }

  async get(_caller: VerifiedCaller, id: string, wait = false, gone?: AbortSignal): Promise<DispatchRecord> {
    return this.#told(await this.#reads.require(id), wait, gone);
  }

  list(_caller: VerifiedCaller, filter: DispatchFilter): Promise<DispatchPage> {
    return this.#search.page(filter);
  }

  async retry(caller: VerifiedCaller, id: string, request: RetryDispatch): Promise<DispatchRecord> {
    requireInvoker(caller);
    return this.create(caller, retryRequest(await this.#reads.require(id), request));
  }

  async cancel(caller: VerifiedCaller, id: string, reason: string): Promise<DispatchRecord> {
    requireInvoker(caller);
    const record = await this.#reads.require(id);
    if (isTerminal(record.state) || !this.#options.directory.has(dispatchAddress(id))) {
      throw dispatchError('already_ended', `Dispatch ${id} is ${record.state} already`);
    }
    const { directory, live, recorder } = this.#options;
    sendToDispatch(directory, id, { type: 'cancel', caller, reason });
    // The wish is on disk before anybody is told so.
    const wished = live.get(id);
    if (wished && !isTerminal(wished.state)) await recorder.now(wished, 'fsync');
    return this.#told(await this.#reads.require(id));
  }

  /** An operator has shut a device out: what it was asked for ends. */
  barred(deviceId: string): void {
    const { directory, live } = this.#options;
    for (const id of live.idsOf(deviceId)) sendToDispatch(directory, id, { type: 'device.barred' });
  }

  /** An operator has taken a capability off a device: what was asked of it there is to end. */
  withdrawn(deviceId: string, capability: string, caller: VerifiedCaller, reason: string): void {
    const { live, log } = this.#options;
    for (const id of live.idsOf(deviceId)) {
      if (live.get(id)?.capability !== capability) continue;
      this.cancel(caller, id, reason).catch((err: unknown) => {
        log.warn({ err, dispatch: id }, 'A dispatch of a capability that was revoked could not be cancelled');
      });
    }
  }

  /** More may run on a device, or on any when none is named: what was held back for that goes out. */
  released(deviceId?: string): void {
    const { live, directory, sessions } = this.#options;
    const ids = deviceId === undefined ? [...live.all()].map(({ id }) => id) : live.idsOf(deviceId);
    for (const id of ids) {
      const record = live.get(id);
      // What may have been sent waits for the word of its node: it is not to be told that the node has never had it.
      const isUnsent = record?.state === 'queued' && record.sentInEpoch === 0;
      const session = isUnsent ? sessions.live(record.deviceId) : undefined;
      // What stays held is not even told, so that this costs little however much waits.
      if (session === undefined || !isUnsent || this.#isHeld(record)) continue;
      const { epoch } = session;
      sendToDispatch(directory, id, { type: 'settle', epoch, phase: 'none', ticketMatches: true });
    }
  }

  /** A result for a dispatch without an actor: see {@link LateResults}. */
  late(deviceId: string, result: NodeResult): void {
    this.#lateResults.take(deviceId, result);
  }

  /** What a device has sent of such results since the daemon started. */
  lateResultsOf(deviceId: string): LateResultCounts {
    return this.#lateResults.countsOf(deviceId);
  }

  /** A record as callers are told it: its end only once that is on disk, or a crash might make it untrue. */
  async #told(record: DispatchRecord, wait = false, gone?: AbortSignal): Promise<DispatchRecord> {
    const isLive = this.#options.live.get(record.id) !== undefined;
    if (isLive && (wait || isTerminal(record.state))) return this.#waiters.wait(record, gone);
    return wait ? this.#reads.require(record.id) : record;
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

  #barOf({ deviceId }: DispatchRecord): DeviceBar | undefined {
    const device = this.#options.devices.get(deviceId);
    return device && barOf(device);
  }

  #offer(record: DispatchRecord): boolean {
    this.#options.live.set(record);
    if (this.#isHeld(record)) return false;
    return this.#toSession(record.deviceId, {
      type: 'offer',
      order: orderOf(record),
    });
  }

  /**
   * Whether the node offers the capability as something by now that may not run there: another build where builds are pinned, or
   * of a plugin that was switched off. A node that offers another descriptor, or none, refuses it itself.
   */
  #isHeld({ deviceId, capability, descriptorDigest }: DispatchRecord): boolean {
    const { devices, surface } = this.#options;
    const device = devices.get(deviceId);
    const offered = device && surface.offered(device, capability);
    if (device === undefined || offered?.digest !== descriptorDigest) return false;
    return surface.status(device, offered) !== 'available';
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
          live.ended(record, this.#options.clock.monotonic());
          this.#waiters.tell(record);
          if (record.fanout !== undefined) this.#options.endedOfFanout?.(record.fanout, record);
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
}

function crashOf(error: unknown): Cause {
  return causeOf({ type: 'crash' }, 'system:daemon', toAppError(error).message);
}
