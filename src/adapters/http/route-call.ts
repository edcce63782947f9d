import type { RouteBody, RouteParams, RouteQuery, RouteResponse } from '../../contract/route-schemas.js';
import type { RouteName, routes, StreamName } from '../../contract/route-table.js';
import type { VerifiedCaller } from '../../kernel/authority.js';

type Caller<Name extends RouteName> = (typeof routes)[Name]['authority'] extends 'none'
  ? undefined
  : VerifiedCaller;

/** One request to one route, checked: who calls and what was sent. */
export interface RouteCall<Name extends RouteName> {
  readonly caller: Caller<Name>;
  readonly params: RouteParams<Name>;
  readonly query: RouteQuery<Name>;
  readonly body: RouteBody<Name>;
  /** Answers with another of the route's statuses than its usual one. */
  status(code: (typeof routes)[Name]['statuses'][number]): void;
  /** Keeps the connection awake while something takes as long as it takes. The signal aborts when the caller has left. */
  waitFor<T>(work: (gone: AbortSignal) => Promise<T>): Promise<T>;
}

/** One request to a route that answers with a stream of events. */
export interface StreamCall<Name extends StreamName> extends RouteCall<Name> {
  /** The id of the last event that the caller has. */
  readonly lastEventId: string | undefined;
  /** Aborted when the caller is gone, or the server stops. */
  readonly signal: AbortSignal;
}

export type PlainName = Exclude<RouteName, StreamName>;

export type PlainHandlers = {
  readonly [Name in PlainName]: (call: RouteCall<Name>) => RouteResponse<Name> | Promise<RouteResponse<Name>>;
};

export type StreamHandlers = {
  readonly [Name in StreamName]: (call: StreamCall<Name>) => Promise<AsyncIterable<RouteResponse<Name>>>;
};

/** What answers each route of the table, no more and no less. */
export type RouteHandlers = PlainHandlers & StreamHandlers;
