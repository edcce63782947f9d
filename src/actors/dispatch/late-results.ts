import type { Clock } from '../../kernel/clock.js';
import { causeOf } from '../../kernel/journal.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Store } from '../../kernel/store.js';
import type { Catalog } from '../../plugins/catalog.js';
import type { NodeResult } from '../link/frames.js';
import { fromStored } from '../records.js';
import { judgeResult } from './judge.js';
import { type DispatchRecord, isTerminal } from './record.js';
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
 * Results for dispatches without an actor: the resolution of an unknown outcome, a late one, or an orphan (protocol.md 21 and 23).
 * Of these only the first changes anything, once.
 */
export class LateResults {
  readonly #options: LateResultsOptions;

  constructor(options: LateResultsOptions) {
    this.#options = options;
  }

  take(deviceId: string, result: NodeResult): void {
    this.#take(deviceId, result).catch((err: unknown) => {
      this.#options.log.error({ err, dispatch: result.dispatchId }, 'A late result could not be recorded');
    });
  }

  async #take(deviceId: string, result: NodeResult): Promise<void> {
    const { store, log, settled } = this.#options;
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
      await this.#resolve(deviceId, record, result);
      return;
    }
    log.warn(
      { device: deviceId, dispatch: result.dispatchId, known: record !== undefined },
      'A late result changes nothing',
    );
    settled(deviceId, result.dispatchId);
  }

  async #resolve(deviceId: string, record: DispatchRecord, result: NodeResult): Promise<void> {
    const { clock, catalog, recorder, outputLimit, settled } = this.#options;
    const resolution = judgeResult(catalog, outputLimit, record, result);
    const cause = causeOf({ type: 'result' }, `device:${deviceId}`, resolution.state);
    const next: DispatchRecord = { ...note(record, 'resolution', clock.now(), cause), resolution };
    recorder.adopt(record);
    await recorder.last(next, 'fsync', () => settled(deviceId, record.id));
  }
}
