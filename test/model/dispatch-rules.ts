import { isDeepStrictEqual } from 'node:util';
import { type DispatchRecord, isTerminal } from '../../src/actors/dispatch/record.js';
import type { DispatchOrder } from '../../src/actors/link/frames.js';
import type { StoreOperation } from '../../src/kernel/store.js';

/** What must never happen to a dispatch, whatever fails. It is noted when it does. */
export class DispatchRules {
  readonly violations: string[] = [];
  /** How often the handler of each dispatch was started. */
  readonly starts = new Map<string, number>();
  /** The dispatches as the daemon's disk has them. */
  readonly #written = new Map<string, DispatchRecord>();

  /** Notes that the node started the handler of an order. */
  noteStart(order: DispatchOrder): void {
    const id = order.dispatchId;
    const count = (this.starts.get(id) ?? 0) + 1;
    this.starts.set(id, count);
    if (!order.repeatable && count > 1) this.violations.push(`${id} was started ${count} times`);
    const written = this.#written.get(id);
    if (written && isTerminal(written.state) && written.state !== 'outcome_unknown') {
      this.violations.push(`${id} was started when it was ${written.state}`);
    }
  }

  /** Checks what the daemon writes. */
  check(operations: readonly StoreOperation[]): void {
    for (const operation of operations) {
      if (operation.kind !== 'dispatch' || operation.op !== 'put') continue;
      const next = {
        ...(operation.data as object),
        id: operation.id,
        state: operation.state,
      } as DispatchRecord;
      const before = this.#written.get(operation.id);
      this.#written.set(operation.id, next);
      if (
        isTerminal(next.state) !== (next.outcome !== undefined) ||
        (next.outcome?.state !== undefined && next.outcome.state !== next.state)
      ) {
        this.violations.push(`${next.id} is ${next.state} with the outcome ${next.outcome?.state}`);
      }
      if (next.outcome?.started === false && this.starts.has(next.id)) {
        this.violations.push(`${next.id} is ${next.state}, never started, but it was`);
      }
      if (next.outcome?.reason === 'deadline' && next.state !== 'timed_out') {
        this.violations.push(`${next.id} reached its deadline and is ${next.state}`);
      }
      if (!before || !isTerminal(before.state)) continue;
      const isResolution =
        before.state === 'outcome_unknown' &&
        next.state === before.state &&
        before.resolution === undefined &&
        next.resolution?.state !== 'outcome_unknown';
      // Another late result is noted, and changes nothing else.
      const isNote =
        next.steps.at(-1)?.to === 'late_result' &&
        next.state === before.state &&
        isDeepStrictEqual({ ...next, steps: next.steps.slice(0, -1) }, before);
      if (!isResolution && !isNote)
        this.violations.push(`${next.id} was ${before.state} and was changed to ${next.state}`);
    }
  }
}
