import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Presence } from '../device/view.js';
import type { FanoutMember, FanoutRecord, FanoutState } from './record.js';

/** On which nodes what is to run. */
export interface PlanFanout {
  /** Which nodes: see docs/selectors.md. Exactly one of this and `all`. */
  readonly selector?: string;
  /** Every node that is trusted. */
  readonly all?: boolean;
  readonly capability: string;
  readonly input: unknown;
  /** How long each handler may run, milliseconds; default: the capability's own timeout. */
  readonly timeoutMs?: number;
  /** Only the first of them, in the order of the selector: a number, or `10%` (rounded down, one at least). */
  readonly limit?: string;
  /** So many there must be, after the limit. */
  readonly expect?: number;
  /** Have the dispatches of nodes that are offline queued. Without it such nodes are skipped. */
  readonly queue?: boolean;
}

export interface CreateFanout extends PlanFanout {
  /** How many may be under way at a time; default: all. */
  readonly batch?: number;
  /** After so many failures no more are started. */
  readonly stopAfterFailures?: number;
  /** The digest of the plan that was shown: other targets by now are refused. */
  readonly targetsDigest?: string;
  /** The same key and request give the same fan-out, as long as that is kept. */
  readonly idempotencyKey?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What would become of one target: it runs, waits for its node, waits for a person, is left out for being offline, or is refused. */
export type TargetVerdict = 'run' | 'queue' | 'ask' | 'skip' | 'refuse';

export interface FanoutTarget {
  readonly deviceId: string;
  readonly name: string;
  readonly presence: Presence;
  readonly verdict: TargetVerdict;
  /** Why it is skipped or refused. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

export interface FanoutPlan {
  readonly capability: string;
  /** How many nodes the selector means, before the limit. */
  readonly matched: number;
  readonly targets: readonly FanoutTarget[];
  /** Stands for exactly these targets; see `CreateFanout.targetsDigest`. */
  readonly targetsDigest: string;
}

/** A fan-out, perhaps with those of its targets alone that changed since a revision. */
export interface FanoutView extends FanoutRecord {
  readonly members: readonly FanoutMember[];
  /** How many targets are in each state. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface FanoutFilter {
  readonly states?: readonly FanoutState[];
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

export interface FanoutPage {
  readonly fanouts: readonly FanoutView[];
  readonly next?: string;
}

/** Since when changes are wanted, and how long to wait for one, milliseconds. */
export interface FanoutSince {
  readonly after?: number;
  readonly waitMs?: number;
}

export interface FanoutControl {
  /**
   * What a fan-out would do, by the admission of its dispatches; nothing is written.
   *
   * @throws AppError `selector.*`, `fanout.bad_request`, `fanout.too_many_targets`, `fanout.unexpected_count`, `dispatch.forbidden`.
   */
  plan(caller: VerifiedCaller, request: PlanFanout): Promise<FanoutPlan>;
  /** @throws AppError as {@link plan}, and `fanout.targets_changed`, `fanout.busy`, `fanout.too_large`, `fanout.key_conflict`. */
  create(caller: VerifiedCaller, request: CreateFanout): Promise<FanoutView>;
  /** @throws AppError `fanout.not_found`. */
  get(caller: VerifiedCaller, id: string, since?: FanoutSince): Promise<FanoutView>;
  /** The latest first, without their targets. */
  list(caller: VerifiedCaller, filter: FanoutFilter): Promise<FanoutPage>;
  /** Starts no more targets and cancels those under way. @throws AppError `fanout.not_found`, `fanout.already_ended`. */
  cancel(caller: VerifiedCaller, id: string, reason: string): Promise<FanoutView>;
}
