import type { Authority } from '../../contract/route-entry.js';
import { callerLabel, holdsRole, type VerifiedCaller } from '../../kernel/authority.js';
import { httpError } from './http-errors.js';
import type { Authenticator } from './operator-token.js';

const bearer = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i;

/**
 * The caller of a route, when they hold what it takes. The one place where the HTTP API decides who may do what.
 *
 * @param authorization the header of that name (RFC 6750)
 * @returns undefined for a route that is open to everybody
 * @throws AppError `http.unauthenticated`, `http.forbidden`
 */
export function authorise(
  authority: Authority,
  authorization: string | undefined,
  authenticate: Authenticator,
): VerifiedCaller | undefined {
  if (authority === 'none') return undefined;
  const token = authorization === undefined ? undefined : bearer.exec(authorization)?.[1];
  const caller = token === undefined ? undefined : authenticate(token);
  if (caller === undefined) {
    const given = authorization !== undefined;
    throw httpError('unauthenticated', given ? 'The token is not valid' : 'This takes a token', {
      hint: 'Send `Authorization: Bearer …` with the token from operator.token in the state directory of palyrad.',
    });
  }
  if (holdsRole(caller, authority)) return caller;
  throw httpError('forbidden', `${callerLabel(caller)} does not hold the role ${authority}`, {
    hint: `Use a token with the role ${authority} or a higher one.`,
  });
}

/** The challenge that goes with a 401 (RFC 6750 section 3). */
export function challenge(authorization: string | undefined): string {
  return authorization === undefined
    ? 'Bearer realm="palyra"'
    : 'Bearer realm="palyra", error="invalid_token"';
}
