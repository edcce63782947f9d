import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../kernel/clock.js';
import { causeOf } from '../../kernel/journal.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Store } from '../../kernel/store.js';
import type { Catalog } from '../../plugins/catalog.js';
import type { NodeResult } from '../link/frames.js';
import { fromStored } from '../records.js';
import { judgeResult } from './judge.js';
import { type DispatchOutcome, type DispatchRecord, isTerminal } from './record.js';
import type { DispatchRecorder } from './recorder.js';
import { note } from './steps.js';

export interface LateResultsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: KernelLog;
  readonly catalog: Catalog;
  readonly recorder: DispatchRecorder;
  /** Bytes of JSON. */
  readonly outputLimit: number;
  /** What the node said is on disk, or of no use: it may forget it. */
  settled(deviceId: string, dispatchId: string): void;
}

/**
 * What results without an actor to take them can be: `resolved` an unknown outcome; `repeated` what is known, as after a lost
 * ack; `late`, they say something else than what is known; `orphaned`, there is no such dispatch (protocol.md 23); `foreign`,
 * it is one of another device.
 */
export type LateResultKind = 'resolved' | 'repeated' | 'late' | 'orphaned' | 'foreign';
export type LateResultCounts = Readonly<Record<LateResultKind, number>>;

const none: LateResultCounts = { resolved: 0, repeated: 0, late: 0, orphaned: 0, foreign: 0 };

/** So many late results are kept in the record of a dispatch; more are counted only, or a node could make it grow. */
const mostNoted = 8;

/**
 * Results for dispatches without an actor: the resolution of an unknown outcome, a late one, or an orphan (protocol.md 21 and 23).
 * Of these only the first changes anything, once. All are counted by the device that sent them, from the start of the daemon; late
 * ones are noted in the record.
 */
export class LateResults {
  readonly #options: LateResultsOptions;
  readonly #counts = new Map<string, LateResultCounts>();
  /** Those of one dispatch are taken one after the other, so that the second sees what the first has led to. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(options: LateResultsOptions) {
    this.#options = options;
  }

  take(deviceId: string, result: NodeResult): void {
    const { dispatchId } = result;
    const turn = (this.#turns.get(dispatchId) ?? Promise.resolve())
      .then(() => this.#take(deviceId, result))
      .catch((err: unknown) => {
        this.#options.log.error({ err, dispatch: dispatchId }, 'A late result could not be recorded');
      })
      .finally(() => {
        if (this.#turns.get(dispatchId) === turn) this.#turns.delete(dispatchId);
      });
    this.#turns.set(dispatchId, turn);
  }

  /** What a device has sent of each kind since the daemon started. */
  countsOf(deviceId: string): LateResultCounts {
    return this.#counts.get(deviceId) ?? none;
  }

  async #take(deviceId: string, result: NodeResult): Promise<void> {
    const { store, catalog, outputLimit, settled } = this.#options;
    const stored = await store.get('dispatch', result.dispatchId);
    const record = stored && fromStored<DispatchRecord>(stored);
    if (record === undefined) {
      this.#count(deviceId, result, 'orphaned', 'A node sent a result for a dispatch that is not known');
      settled(deviceId, result.dispatchId);
      return;
    }
    if (record.deviceId !== deviceId) {
      this.#count(deviceId, result, 'foreign', 'A node sent a result for a dispatch of another device');
      return;
    }
    if (!isTerminal(record.state)) return;
    const said = judgeResult(catalog, outputLimit, record, result);
    if ([record.outcome, record.resolution].some((known) => known && isTheSame(known, said))) {
      this.#count(deviceId, result, 'repeated');
      settled(deviceId, record.id);
    } else if (record.state === 'outcome_unknown' && record.resolution === undefined) {
      this.#count(deviceId, result, 'resolved');
      await this.#write(record, 'resolution', said, { resolution: said });
    } else {
      this.#count(deviceId, result, 'late', 'A late result changes nothing');
      const noted = record.steps.filter(({ to }) => to === 'late_result').length;
      // Its age counts from what counts of it.
      if (noted < mostNoted) await this.#write(record, 'late_result', said, { updatedAt: record.updatedAt });
      else settled(deviceId, record.id);
    }
  }

  async #write(
    record: DispatchRecord,
    to: 'resolution' | 'late_result',
    said: DispatchOutcome,
    changes: Partial<DispatchRecord>,
  ): Promise<void> {
    const { clock, recorder, settled } = this.#options;
    const cause = causeOf({ type: 'result' }, `device:${record.deviceId}`, said.state);
    recorder.adopt(record);
    const next = { ...note(record, to, clock.now(), cause), ...changes };
    await recorder.last(next, 'fsync', () => settled(record.deviceId, record.id));
  }

  #count(deviceId: string, { dispatchId }: NodeResult, kind: LateResultKind, warning?: string): void {
    const counts = { ...this.countsOf(deviceId) };
    counts[kind] += 1;
    this.#counts.set(deviceId, counts);
    if (warning === undefined) return;
    this.#options.log.warn({ device: deviceId, dispatch: dispatchId, count: counts[kind] }, warning);
  }
}

/** Whether a result says what is known already. What the daemon knows as a deadline, the node stopped because it was told to. */
function isTheSame(known: DispatchOutcome, said: DispatchOutcome): boolean {
  if (known.state === 'timed_out' && said.state === 'cancelled') return true;
  return known.state === said.state && isDeepStrictEqual(known.output, said.output);
}
