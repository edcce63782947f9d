import type { VerifiedCaller } from '../../kernel/authority.js';
import type { ErrorEnvelope } from '../../kernel/errors.js';
import type { DispatchOutcome, DispatchRecord, DispatchState, DispatchStep } from './record.js';

export interface CreateDispatch {
  /** A device id (with or without grouping), a unique prefix of one, or a node's name. */
  readonly node: string;
  readonly capability: string;
  readonly input: unknown;
  /** How long the handler may run, milliseconds; default: the capability's own timeout. */
  readonly timeoutMs?: number;
  readonly idempotencyKey?: string;
  /** A key that counts only for a capability that is neither idempotent nor read-only; repeatable work stays keyless. */
  readonly keyIfNeeded?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Answer when it has ended. Without it the answer comes once the dispatch is accepted and on disk. */
  readonly wait?: boolean;
  /** The fan-out that it is a part of; nobody but that says so. */
  readonly fanout?: string;
  /** Accept it although the node is offline. Without it an offline node is refused at once. */
  readonly queue?: boolean;
  /** The dispatch that is asked for again with this. */
  readonly retryOf?: string;
}

/** What is known of a dispatch before there is one. */
export type ForeseenDispatch = Pick<
  DispatchRecord,
  | 'deviceId'
  | 'capability'
  | 'descriptorDigest'
  | 'repeatable'
  | 'idempotencyKey'
  | 'timeoutMs'
  | 'mediationTimeoutMs'
  | 'deliverBy'
> & { readonly nodeName: string };

/**
 * What a request would lead to at this moment, found out without leaving anything behind. `run`: it goes out and runs; `ask`: it
 * goes out and the person at the node is asked; `wait`: it stands in line behind what the node has not done; `queue`: it
 * waits for the node to come back; `existing`: its key stands for a dispatch already; `refuse`: it is refused with `error`.
 */
export interface DispatchForecast {
  readonly verdict: 'run' | 'ask' | 'wait' | 'queue' | 'existing' | 'refuse';
  /** What it would be; absent when it is refused. Of a dispatch that exists, what that is. */
  readonly dispatch?: ForeseenDispatch;
  /** Dispatches of the node that have not ended. Absent when it is refused, or exists. */
  readonly ahead?: number;
  readonly existing?: {
    readonly id: string;
    readonly state: DispatchState;
    /** Whether it waits for the build that its node offers to be approved. */
    readonly held: boolean;
  };
  readonly error?: ErrorEnvelope;
}

/** How a dispatch that has ended is asked for again. */
export interface RetryDispatch {
  /** Also one that may not run twice and of which nobody knows whether it ran. */
  readonly mayHaveRun?: boolean;
  readonly keyIfNeeded?: string;
  readonly queue?: boolean;
}

export interface DispatchFilter {
  readonly states?: readonly DispatchState[];
  /** With or without grouping. */
  readonly deviceId?: string;
  readonly capability?: string;
  /** As the record has it: `operator:ada`. */
  readonly caller?: string;
  /** All of these. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Created at or after this time, milliseconds since the epoch. */
  readonly since?: number;
  /** Created before this time, milliseconds since the epoch. */
  readonly until?: number;
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

export type DispatchOutcomeSummary = Omit<DispatchOutcome, 'output'>;

/** A dispatch without what may be large of it, and with the name of its node. */
export interface DispatchSummary extends Omit<DispatchRecord, 'input' | 'steps' | 'outcome' | 'resolution'> {
  /** Absent when nothing but the id of its device is left. */
  readonly nodeName?: string;
  readonly outcome?: DispatchOutcomeSummary;
  readonly resolution?: DispatchOutcomeSummary;
}

/** May be short, and even empty, and still have a next one. */
export interface DispatchPage {
  readonly dispatches: readonly DispatchSummary[];
  readonly next?: string;
}

export interface DispatchControl {
  /**
   * @throws AppError `dispatch.unknown_node`, `dispatch.unknown_capability` (near matches in the hint), `dispatch.not_approved`,
   *   `dispatch.node_offline`, `dispatch.invalid_input` (names each field), `dispatch.input_too_large`, `dispatch.busy`,
   *   `dispatch.key_conflict`, `dispatch.wait_timeout` (the id is in `details.dispatchId`; the dispatch goes on).
   * @param gone aborts when the caller has left and waits no more; the dispatch goes on
   */
  create(caller: VerifiedCaller, request: CreateDispatch, gone?: AbortSignal): Promise<DispatchRecord>;
  /**
   * What {@link create} would do, by the same rules, and does not.
   *
   * @throws AppError `dispatch.forbidden`; whatever else `create` throws is the `error` of what it returns.
   */
  foresee(caller: VerifiedCaller, request: CreateDispatch): Promise<DispatchForecast>;
  /**
   * @param wait answer when it has ended
   * @param gone as for {@link create}
   * @throws AppError `dispatch.not_found`, `dispatch.wait_timeout`.
   */
  get(caller: VerifiedCaller, id: string, wait?: boolean, gone?: AbortSignal): Promise<DispatchRecord>;
  /** The latest first. @throws AppError `identity.invalid_device_id`, and what the store throws. */
  list(caller: VerifiedCaller, filter: DispatchFilter): Promise<DispatchPage>;
  /**
   * Records the wish and carries it to the node; the final state is the node's word (protocol.md 21).
   *
   * @throws AppError `dispatch.not_found`, `dispatch.already_ended`.
   */
  cancel(caller: VerifiedCaller, id: string, reason: string): Promise<DispatchRecord>;
  /**
   * Asks for the same again: the same node, capability, input, labels and time, as a new dispatch with a key of its own.
   *
   * @throws AppError `dispatch.not_found`, `dispatch.not_ended`, `dispatch.may_have_run`, and what `create` throws.
   */
  retry(caller: VerifiedCaller, id: string, request: RetryDispatch): Promise<DispatchRecord>;
}

/** How far a reader of a dispatch has got. It holds over a restart of the daemon. */
export interface FeedCursor {
  /** How many of the record's steps it knows. */
  readonly steps: number;
  /** The session in which it was sent, whose progress counts from 1, and the number of the latest that the reader knows. */
  readonly epoch: number;
  readonly sequence: number;
}

/** What happens to a dispatch. `at` is where its reader has got to with it. */
export type DispatchHappening =
  | { readonly event: 'step'; readonly at: FeedCursor; readonly step: DispatchStep }
  | {
      readonly event: 'progress';
      readonly at: FeedCursor;
      /** 1, 2, 3 … in the order in which the handler sent them. */
      readonly sequence: number;
      readonly value: unknown;
    }
  /** So many progress values were dropped on their way. */
  | { readonly event: 'gap'; readonly at: FeedCursor; readonly missed: number }
  | { readonly event: 'end'; readonly at: FeedCursor; readonly record: DispatchRecord };

export interface FollowOptions {
  /** Default: from its creation on. */
  readonly after?: FeedCursor;
  /** Ends it. */
  readonly signal: AbortSignal;
}

export interface DispatchFeedControl {
  /**
   * What has happened to a dispatch and what happens, until its end, which is on disk when it is told.
   *
   * @throws AppError `dispatch.not_found`.
   */
  follow(
    caller: VerifiedCaller,
    id: string,
    options: FollowOptions,
  ): Promise<AsyncIterable<DispatchHappening>>;
}
