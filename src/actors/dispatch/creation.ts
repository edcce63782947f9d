import type { VerifiedCaller } from '../../kernel/authority.js';
import { AppError, toAppError } from '../../kernel/errors.js';
import type { PutOperation, Store } from '../../kernel/store.js';
import { dispatchError } from '../errors.js';
import { type Admission, type AdmissionOptions, admit, keyedRequest, requireInvoker } from './admission.js';
import { dispatchOfKey, idempotencyEntry, type KeyedRequest } from './idempotency.js';
import type { DispatchReads } from './reads.js';
import type { DispatchRecord } from './record.js';
import type { DispatchRecorder } from './recorder.js';
import type { CreateDispatch, DispatchForecast, ForeseenDispatch } from './view.js';

export interface CreationOptions extends AdmissionOptions {
  readonly store: Store;
  readonly recorder: DispatchRecorder;
  readonly reads: DispatchReads;
  /** Whether its node offers another build by now, which is not approved. */
  isHeld(record: DispatchRecord): boolean;
  /** It is accepted: its actor starts. */
  start(record: DispatchRecord): void;
}

/** How a request becomes a dispatch, and what it would become. */
export class DispatchCreation {
  readonly #options: CreationOptions;
  #stopping = false;

  constructor(options: CreationOptions) {
    this.#options = options;
  }

  /** From now on nothing new is accepted. */
  stopAccepting(): void {
    this.#stopping = true;
  }

  /**
   * The dispatch that a request is accepted as, or that its key stands for already.
   *
   * @throws AppError as `DispatchControl.create`, but for waiting.
   */
  async create(caller: VerifiedCaller, request: CreateDispatch): Promise<DispatchRecord> {
    this.#requireAccepting();
    const keyed = keyedRequest(caller, request, this.#options);
    const earlier = keyed && (await this.#earlier(keyed));
    if (earlier) return earlier;
    const { record } = admit(caller, request, this.#options);
    if (record.repeatable && request.wait === true) return this.#sendAtOnce(record);
    return this.#writeFirst(record, keyed);
  }

  /** @throws AppError `dispatch.forbidden`, and faults of the daemon itself. */
  async foresee(caller: VerifiedCaller, request: CreateDispatch): Promise<DispatchForecast> {
    requireInvoker(caller);
    try {
      this.#requireAccepting();
      const keyed = keyedRequest(caller, request, this.#options);
      const earlier = keyed && (await this.#earlier(keyed));
      return earlier ? this.#existing(earlier) : this.#admitted(admit(caller, request, this.#options));
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.category === 'internal') throw thrown;
      return { verdict: 'refuse', error: error.toEnvelope() };
    }
  }

  #requireAccepting(): void {
    if (!this.#stopping) return;
    throw dispatchError('stopping', 'The daemon is stopping', { hint: 'Try again in a moment.' });
  }

  /** Protocol.md 18: repeatable work that a caller waits for goes out at once; its row follows with the next group. */
  #sendAtOnce(record: DispatchRecord): DispatchRecord {
    this.#options.live.set(record);
    this.#options.recorder.later(record);
    this.#options.start(record);
    return record;
  }

  async #writeFirst(record: DispatchRecord, keyed: KeyedRequest | undefined): Promise<DispatchRecord> {
    const { recorder, live, start } = this.#options;
    const entries: readonly PutOperation[] = keyed ? [idempotencyEntry(record, keyed)] : [];
    try {
      // Counted from now on, so that the bound per node holds while the write is under way.
      live.set(record);
      await recorder.now(record, 'fsync', entries);
    } catch (thrown) {
      live.delete(record);
      const raced = keyed && thrown instanceof AppError && thrown.code === 'store.conflict';
      const earlier = raced ? await this.#earlier(keyed) : undefined;
      if (earlier) return earlier;
      throw thrown;
    }
    start(record);
    return record;
  }

  async #earlier(keyed: KeyedRequest): Promise<DispatchRecord | undefined> {
    const { store, reads } = this.#options;
    const id = await dispatchOfKey(store, keyed);
    return id === undefined ? undefined : reads.require(id);
  }

  #admitted({ record, device, goesOut, ahead }: Admission): DispatchForecast {
    const atOnce = record.mediationTimeoutMs > 0 ? 'ask' : 'run';
    const verdict = goesOut === 'now' ? atOnce : goesOut === 'line' ? 'wait' : 'queue';
    return { verdict, dispatch: foreseen(record, device.name), ahead };
  }

  #existing(record: DispatchRecord): DispatchForecast {
    const { devices, isHeld } = this.#options;
    const { id, state, deviceId } = record;
    const held = state === 'queued' && isHeld(record);
    const nodeName = devices.get(deviceId)?.name ?? deviceId;
    return { verdict: 'existing', dispatch: foreseen(record, nodeName), existing: { id, state, held } };
  }
}

function foreseen(record: DispatchRecord, nodeName: string): ForeseenDispatch {
  const { deviceId, capability, descriptorDigest, repeatable, idempotencyKey, timeoutMs } = record;
  const { mediationTimeoutMs, deliverBy } = record;
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const what = { deviceId, nodeName, capability, descriptorDigest, repeatable, ...key };
  return { ...what, timeoutMs, mediationTimeoutMs, deliverBy };
}
