/** The least that a caller must hold: `none` for everybody, else a role, which includes the ones before it. */
export const authorities = ['none', 'viewer', 'invoker', 'approver', 'admin'] as const;
export type Authority = (typeof authorities)[number];

/** One route of the API. `path` names its parameters as `:id`. */
export interface RouteEntry {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly authority: Authority;
  readonly summary: string;
  /** The statuses of success, the usual one first. All have the same body. */
  readonly statuses: readonly [200 | 201 | 202, ...(200 | 201 | 202)[]];
  /** Answers with server-sent events (WHATWG HTML) in place of one body: `response` of its schemas describes each of them. */
  readonly stream?: true;
}

/** Routes by name. */
export type RouteTable = Readonly<Record<string, RouteEntry>>;
