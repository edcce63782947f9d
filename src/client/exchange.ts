import type { ErrorBody } from '../contract/error.js';
import type { RouteEntry } from '../contract/route-entry.js';
import type { RouteBody, RouteParams, RouteQuery, RouteResponse } from '../contract/route-schemas.js';
import { type RouteName, routes, type StreamName } from '../contract/route-table.js';
import { AppError } from '../kernel/errors.js';
import type { Secret } from '../kernel/secret.js';
import { clientError } from './client-errors.js';
import { networkFailure } from './network-failure.js';

/** What goes with a request to a route. */
export interface RouteRequest<Name extends RouteName> {
  readonly params?: RouteParams<Name>;
  readonly query?: RouteQuery<Name>;
  readonly body?: RouteBody<Name>;
}

export interface ExchangeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the client gives up; absent: it waits as long as the connection shows signs of life. */
  readonly timeoutMs?: number | undefined;
}

export interface Endpoint {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly token: Secret<string> | undefined;
  readonly fetch: typeof fetch;
}

/** Sends one request to one route and reads the answer. Only a GET is tried again, once, when its connection broke. */
export async function exchange<Name extends RouteName>(
  endpoint: Endpoint,
  name: Name,
  request: RouteRequest<Name>,
  options: ExchangeOptions,
): Promise<RouteResponse<Name>> {
  const route: RouteEntry = routes[name];
  const timeout = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const signals = [options.signal, timeout].filter((signal) => signal !== undefined);
  const url = urlOf(endpoint.baseUrl, route, request);
  const init: RequestInit = {
    method: route.method,
    headers: headersOf(endpoint, route, request.body),
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    redirect: 'error',
  };
  for (let attempt = 1; ; attempt++) {
    try {
      return await answerOf<Name>(endpoint, await endpoint.fetch(url, init));
    } catch (thrown) {
      if (thrown instanceof AppError) throw thrown;
      options.signal?.throwIfAborted();
      const failure = timeout?.aborted
        ? { sent: true, why: `no answer within ${options.timeoutMs} ms` }
        : networkFailure(thrown);
      if (route.method === 'GET') {
        if (failure.sent && attempt === 1 && !timeout?.aborted) continue;
        throw timeout?.aborted ? timedOut(endpoint, failure.why) : unreachable(endpoint, failure.why, thrown);
      }
      throw failure.sent ? lost(endpoint, failure.why, thrown) : unreachable(endpoint, failure.why, thrown);
    }
  }
}

/**
 * Opens the stream of events of a route, after the event with that id.
 *
 * @throws AppError as {@link exchange}.
 */
export async function openStream<Name extends StreamName>(
  endpoint: Endpoint,
  name: Name,
  request: RouteRequest<Name>,
  lastEventId: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array>> {
  const route: RouteEntry = routes[name];
  const headers = { ...headersOf(endpoint, route, undefined), accept: 'text/event-stream' };
  let response: Response;
  try {
    response = await endpoint.fetch(urlOf(endpoint.baseUrl, route, request), {
      headers: lastEventId === undefined ? headers : { ...headers, 'last-event-id': lastEventId },
      ...(signal === undefined ? {} : { signal }),
      redirect: 'error',
    });
  } catch (thrown) {
    signal?.throwIfAborted();
    throw unreachable(endpoint, networkFailure(thrown).why, thrown);
  }
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (response.ok && isStream && response.body !== null) return response.body;
  await answerOf(endpoint, response);
  throw badResponse(endpoint, response);
}

function urlOf(baseUrl: string, route: RouteEntry, request: RouteRequest<RouteName>): string {
  const params = new Map(Object.entries(request.params ?? {}));
  const path = route.path.replace(/:([a-z]+)/g, (_text, name: string) =>
    encodeURIComponent(String(params.get(name))),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const one of [value].flat()) query.append(name, String(one));
  }
  return `${baseUrl}${path}${query.size === 0 ? '' : `?${query}`}`;
}

function headersOf(endpoint: Endpoint, route: RouteEntry, body: unknown): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  // An open route needs no token, and the first request may reach a server that is not ours.
  if (endpoint.token !== undefined && route.authority !== 'none') {
    headers.authorization = `Bearer ${endpoint.token.reveal()}`;
  }
  return headers;
}

async function answerOf<Name extends RouteName>(
  endpoint: Endpoint,
  response: Response,
): Promise<RouteResponse<Name>> {
  const text = await response.text();
  const body = parse(text);
  if (response.ok && typeof body === 'object' && body !== null) return body as RouteResponse<Name>;
  if (!response.ok && isErrorBody(body)) throw asAppError(body);
  throw badResponse(endpoint, response);
}

function badResponse({ baseUrl }: Endpoint, { status }: Response): AppError {
  return clientError('bad_response', `${baseUrl} answered ${status} and no palyra`, {
    hint: 'Another program may listen there. Check PALYRA_URL, --url and listen.http.bind in palyra.yaml.',
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isErrorBody(body: unknown): body is ErrorBody {
  const error = (body as ErrorBody | null | undefined)?.error;
  return (
    typeof error?.code === 'string' && typeof error.message === 'string' && typeof error.category === 'string'
  );
}

function asAppError({ error: { traceId, ...envelope } }: ErrorBody): AppError {
  return AppError.fromEnvelope({ ...envelope, details: { ...envelope.details, traceId } });
}

function unreachable({ baseUrl }: Endpoint, why: string, cause: unknown): AppError {
  return clientError('unreachable', `palyrad can't be reached at ${baseUrl}: ${why}`, {
    hint: 'Start it with `palyrad`, or say where it is with PALYRA_URL or --url.',
    details: { url: baseUrl },
    cause,
  });
}

function timedOut({ baseUrl }: Endpoint, why: string): AppError {
  return clientError('timeout', `palyrad at ${baseUrl} gave ${why}`, {
    hint: 'It may be very busy or hang: look at its log.',
    details: { url: baseUrl },
  });
}

function lost({ baseUrl }: Endpoint, why: string, cause: unknown): AppError {
  const message = `The request was sent to ${baseUrl}, but there was no answer (${why}): whether it was carried out is unknown`;
  return clientError('outcome_unknown', message, {
    hint: 'Look whether it was done before you ask again.',
    details: { url: baseUrl },
    cause,
  });
}
