import type { VerifiedCaller } from '../../kernel/authority.js';
import type { DispatchRecord, DispatchState } from './record.js';

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
  /** Accept it although the node is offline. Without it an offline node is refused at once. */
  readonly queue?: boolean;
}

export interface DispatchFilter {
  readonly states?: readonly DispatchState[];
  /** With or without grouping. */
  readonly deviceId?: string;
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

export interface DispatchPage {
  readonly dispatches: readonly DispatchRecord[];
  readonly next?: string;
}

export interface DispatchControl {
  /**
   * @throws AppError `dispatch.unknown_node`, `dispatch.unknown_capability` (near matches in the hint), `dispatch.not_approved`,
   *   `dispatch.node_offline`, `dispatch.invalid_input` (names each field), `dispatch.input_too_large`, `dispatch.busy`,
   *   `dispatch.key_conflict`, `dispatch.wait_timeout` (the id is in `details.dispatchId`; the dispatch goes on).
   */
  create(caller: VerifiedCaller, request: CreateDispatch): Promise<DispatchRecord>;
  get(caller: VerifiedCaller, id: string): Promise<DispatchRecord>;
  list(caller: VerifiedCaller, filter: DispatchFilter): Promise<DispatchPage>;
  /** Records the wish and carries it to the node; the final state is the node's word (protocol.md 21). */
  cancel(caller: VerifiedCaller, id: string, reason: string): Promise<DispatchRecord>;
}
