import { type AnyActorLogic, fromCallback } from 'xstate';
import {
  address,
  type ChildSpec,
  type CrowdEvent,
  createKernel,
  type Kernel,
  type RestartKind,
  SimulatedClock,
  type Strategy,
} from '../../../src/kernel/index.js';

export const boom = new Error('boom');

export const strategies: readonly Strategy[] = ['one_for_one', 'one_for_all', 'rest_for_one'];
export const restartKinds: readonly RestartKind[] = ['permanent', 'transient', 'temporary'];

/**
 * A kernel on a clock that stands still and a log that is silent but keeps the errors, whose jitter always waits the whole
 * time.
 *
 * @param onLog gets the fields of each line, whatever its level.
 */
export function makeKernel(onLog: (fields: Record<string, unknown>) => void = () => {}) {
  const clock = new SimulatedClock();
  const errors: unknown[] = [];
  const line = (fields: object): void => onLog({ ...fields });
  const error = (fields: object): void => {
    if ('err' in fields) errors.push(fields.err);
    line(fields);
  };
  const log = { debug: line, info: line, warn: line, error };
  return { clock, errors, kernel: createKernel({ clock, log, random: () => 1 }) };
}

/** Actors that say when they start and end, and what can be read from that. */
export function makeProbes() {
  /** `+a` started, `-a` stopped. */
  const trace: string[] = [];
  const starts = (name: string): number => trace.filter((entry) => entry === `+${name}`).length;
  const stops = (name: string): number => trace.filter((entry) => entry === `-${name}`).length;
  /** Who was started more often than stopped, once for each time. */
  const alive = (): readonly string[] =>
    [...new Set(trace.map((entry) => entry.slice(1)))]
      .flatMap((name) => Array.from({ length: Math.max(0, starts(name) - stops(name)) }, () => name))
      .sort();
  /** Runs until it is stopped; does not listen to `kernel.shutdown`. */
  const probe = (name: string): AnyActorLogic =>
    fromCallback(() => {
      trace.push(`+${name}`);
      return () => trace.push(`-${name}`);
    });
  return { trace, starts, stops, alive, probe };
}

/** A child at an address of its own id; permanent and stopped at once unless `rest` says otherwise. */
export function childSpec(id: string, logic: AnyActorLogic, rest: Partial<ChildSpec> = {}): ChildSpec {
  return { id, address: address(id), logic, restart: 'permanent', shutdown: 'brutal', ...rest };
}

export function send(kernel: Kernel, id: string, event: string | CrowdEvent): boolean {
  return kernel.directory.send(address(id), typeof event === 'string' ? { type: event } : event);
}
