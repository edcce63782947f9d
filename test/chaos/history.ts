import type { Dispatch } from '../../src/client/index.js';
import type { Capability, Counts } from './counting-plugins.js';

/** How a client asks. */
export const requestKinds = [
  'waited',
  'keyed',
  'once',
  'unwaited',
  'queued',
  'cancelled',
  'hurried',
] as const;
export type RequestKind = (typeof requestKinds)[number];

/** What one client asked for and was told. All of its attempts are one request, for which it has one key or none. */
export interface ClientRequest {
  readonly token: string;
  readonly kind: RequestKind;
  readonly capability: Capability;
  /** The key with which it asked; absent for what may be repeated. */
  key?: string;
  /** How often it asked. */
  attempts: number;
  /** Every answer that named a dispatch. */
  readonly answers: { readonly id: string; readonly state: Dispatch['state'] }[];
  /** Whether it asked for the dispatch to be cancelled. */
  wantedCancelled: boolean;
  /** Why it gave up without an answer. */
  gaveUp?: string;
}

/** What is on the disk of the daemon. */
export interface StoredDispatch {
  readonly id: string;
  readonly state: string;
}

/** Everything that was seen of a run, when nothing goes on any more. */
export interface History {
  readonly requests: readonly ClientRequest[];
  readonly counts: Counts;
  /** Every dispatch as the API tells it. */
  readonly dispatches: readonly Dispatch[];
  /** Every dispatch in the daemon's file. */
  readonly stored: readonly StoredDispatch[];
  /** The dispatches that an idempotency key in the daemon's file stands for. */
  readonly keys: readonly string[];
  /** What the node still keeps, in its file (journal, outbox, tombstones) and in its memory. */
  readonly atNode: readonly { readonly dispatchId: string; readonly where: string }[];
}
