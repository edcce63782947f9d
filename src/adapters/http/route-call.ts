import type { RouteBody, RouteParams, RouteQuery, RouteResponse } from '../../contract/route-schemas.js';
import type { RouteName, routes } from '../../contract/route-table.js';
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
  /** Keeps the connection awake while something takes as long as it takes. */
  waitFor<T>(work: Promise<T>): Promise<T>;
}

/** What answers each route of the table, no more and no less. */
export type RouteHandlers = {
  readonly [Name in RouteName]: (call: RouteCall<Name>) => RouteResponse<Name> | Promise<RouteResponse<Name>>;
};
