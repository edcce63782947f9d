import { randomUUID } from 'node:crypto';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type RouteOptions,
} from 'fastify';
import { Type } from 'typebox';
import type { Control } from '../../actors/control.js';
import type { RouteEntry } from '../../contract/route-entry.js';
import { type RouteSchemas, routeSchemas } from '../../contract/route-schemas.js';
import { isStream, type RouteName, routeNames, routes, type StreamName } from '../../contract/route-table.js';
import type { VerifiedCaller } from '../../kernel/authority.js';
import type { KernelLog } from '../../kernel/log.js';
import { authorise, challenge } from './access.js';
import { answerClientError } from './client-error.js';
import { errorReply } from './error-reply.js';
import { EventStreams } from './event-streams.js';
import { HostAllowlist } from './host-allowlist.js';
import { httpError } from './http-errors.js';
import { parseJsonBody } from './json-body.js';
import type { Authenticator } from './operator-token.js';
import type { PlainHandlers, PlainName, RouteCall, StreamHandlers } from './route-call.js';
import { routeHandlers } from './route-handlers.js';
import { serialiserCompiler } from './schema-serialisation.js';
import { validatorCompiler } from './schema-validation.js';
import { methodsOf, unknownRoute } from './unknown-route.js';
import { WaitingReplies } from './waiting-replies.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The entry in the table of routes. */
    routeName?: RouteName;
  }
  interface FastifyRequest {
    caller: VerifiedCaller | undefined;
  }
}

/** What the port takes before it refuses. */
export interface HttpLimits {
  /** Bytes of one body. */
  readonly body: number;
  /** Bytes of all headers of one request. */
  readonly headers: number;
  readonly connections: number;
  /** Milliseconds within which a request has to arrive. */
  readonly arrivalMs: number;
  /** Milliseconds between the signs of life to callers that wait for a dispatch. */
  readonly processingMs: number;
  /** Streams of events open at a time. */
  readonly streams: number;
}

export const defaultHttpLimits: HttpLimits = {
  body: 2 * 1024 * 1024,
  headers: 16 * 1024,
  connections: 4096,
  arrivalMs: 30_000,
  processingMs: 30_000,
  streams: 256,
};

export interface HttpAppOptions {
  readonly control: Control;
  readonly authenticate: Authenticator;
  readonly log: KernelLog;
  readonly limits: HttpLimits;
  /** `host` or `host:port` under which others reach this port, beside the address it is bound to. */
  readonly advertise: readonly string[];
  /** Whether the daemon takes requests; while it doesn't, all but the open routes answer 503. */
  ready(): boolean;
}

const nothing = Type.Object({}, { additionalProperties: false });

/** The routes of the table over Fastify, with every check of a request in front of them. It does not listen yet. */
export function httpApp(options: HttpAppOptions): FastifyInstance {
  const { control, limits, ready } = options;
  const app = fastify({
    bodyLimit: limits.body,
    requestTimeout: limits.arrivalMs,
    http: { maxHeaderSize: limits.headers },
    genReqId: () => randomUUID(),
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    // The guard below answers with our own envelope instead.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => answerError(options.log, error, request, reply),
  });
  app.server.maxConnections = limits.connections;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serialiserCompiler);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: FastifyRequest, body: string) => parseJsonBody(body),
  );
  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', guard(options));
  app.addHook('onRoute', refuseUndeclared);
  app.setErrorHandler((error, request, reply) => answerError(options.log, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = methodsOf(path);
    if (methods.length > 0) reply.header('allow', methods.join(', '));
    throw unknownRoute(request.method, path, methods);
  });
  const waiting = new WaitingReplies(limits.processingMs);
  app.addHook('onClose', async () => waiting.stop());
  const streams = new EventStreams(limits.streams, limits.processingMs);
  app.addHook('preClose', async () => streams.stop());
  const handlers = routeHandlers(control, ready);
  for (const name of routeNames) {
    const answer = isStream(name)
      ? streamOf(name, handlers, waiting, streams)
      : answerOf(name, handlers, waiting);
    addRoute(app, name, answer);
  }
  return app;
}

/** Runs before anything of a request but its headers is read. */
function guard({ authenticate, advertise, ready }: HttpAppOptions) {
  const allowlist = new HostAllowlist(advertise);
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    try {
      const { host, origin, authorization } = request.headers;
      const { localAddress } = request.socket;
      allowlist.check({ host, origin, localAddress, protocol: request.protocol });
      const name = request.routeOptions.config.routeName;
      if (name !== undefined) {
        const { authority } = routes[name];
        request.caller = authorise(authority, authorization, authenticate);
        if (authority !== 'none' && !ready()) throw notReady();
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}

function notReady() {
  return httpError('unavailable', 'The daemon is starting or stopping', { hint: 'Try again in a moment.' });
}

/** No route gets in beside the table, and so none without an authority. */
function refuseUndeclared(route: RouteOptions): void {
  const name = route.config?.routeName;
  const declared = name === undefined ? undefined : routes[name];
  if (declared?.path === route.url && declared.method === route.method) return;
  throw new TypeError(`${String(route.method)} ${route.url} is not in the table of routes`);
}

/** Answers a request that has passed every check. */
type Answer = (request: FastifyRequest, reply: FastifyReply) => unknown;

function addRoute(app: FastifyInstance, name: RouteName, answer: Answer): void {
  const route: RouteEntry = routes[name];
  const schemas: RouteSchemas = routeSchemas[name];
  app.route({
    method: route.method,
    url: route.path,
    config: { routeName: name },
    schema: {
      querystring: schemas.query ?? nothing,
      ...(schemas.params === undefined ? {} : { params: schemas.params }),
      ...(schemas.body === undefined ? {} : { body: schemas.body }),
      ...(schemas.headers === undefined ? {} : { headers: schemas.headers }),
      response: Object.fromEntries(route.statuses.map((status) => [status, schemas.response])),
    },
    handler: (request, reply) => {
      reply.code(route.statuses[0]);
      return answer(request, reply);
    },
  });
}

function callOf<Name extends RouteName>(
  request: FastifyRequest,
  reply: FastifyReply,
  waiting: WaitingReplies,
): RouteCall<Name> {
  return {
    caller: request.caller as RouteCall<Name>['caller'],
    params: request.params as RouteCall<Name>['params'],
    query: request.query as RouteCall<Name>['query'],
    body: request.body as RouteCall<Name>['body'],
    status: (code) => reply.code(code),
    waitFor: (work) => waiting.keep(reply.raw, work),
  };
}

function answerOf<Name extends PlainName>(
  name: Name,
  handlers: PlainHandlers,
  waiting: WaitingReplies,
): Answer {
  const handler = handlers[name];
  return (request, reply) => handler(callOf<Name>(request, reply, waiting));
}

function streamOf<Name extends StreamName>(
  name: Name,
  handlers: StreamHandlers,
  waiting: WaitingReplies,
  streams: EventStreams,
): Answer {
  const handler = handlers[name];
  return async (request, reply) => {
    const call = callOf<Name>(request, reply, waiting);
    const header = request.headers['last-event-id'];
    const lastEventId = typeof header === 'string' ? header : undefined;
    await streams.serve(reply, (signal) => handler({ ...call, lastEventId, signal }));
    return reply;
  };
}

function answerError(log: KernelLog, thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = errorReply(thrown, request.id);
  const about = { err: thrown, traceId: request.id, method: request.method, route: request.routeOptions.url };
  if (status === 500) log.error(about, 'A request failed inside the daemon');
  else log.debug(about, 'A request was refused');
  if (status === 401) reply.header('www-authenticate', challenge(request.headers.authorization));
  reply.code(status).headers(headers).send(body);
}
