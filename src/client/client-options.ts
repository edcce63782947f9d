import type { Secret } from '../kernel/secret.js';

/** Where the daemon is, and as whom it is asked. */
export interface ControlPlaneClientOptions {
  /** `http://127.0.0.1:7142` */
  readonly baseUrl: string;
  readonly token?: string | Secret<string>;
  /** Default: the global `fetch`, which keeps connections alive. */
  readonly fetch?: typeof fetch;
  /** Milliseconds for a request that does not wait for a dispatch. Default: 10000. */
  readonly timeoutMs?: number;
}

/** What every request takes beside its content. */
export interface RequestOptions {
  /** Ends the request with the signal's reason. What was sent already is not taken back. */
  readonly signal?: AbortSignal;
}

/** How a dispatch is followed. */
export interface FollowOptions extends RequestOptions {
  /** The `id` of the last event that is known. Default: from the beginning on. */
  readonly after?: string;
}
