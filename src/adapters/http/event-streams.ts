import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { httpError } from './http-errors.js';

/** One server-sent event. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
}

interface OpenStream {
  readonly response: ServerResponse;
  readonly end: AbortController;
  /** Its reader took nothing between the last two signs of life. */
  isStalled: boolean;
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies of nginx's kind gather answers otherwise.
  'x-accel-buffering': 'no',
};

/**
 * The streams of server-sent events that are open (WHATWG HTML, section "Server-sent events"). The next event is taken only when
 * the reader has taken the one before, so a slow reader holds one event and no more; one that takes nothing at all is cut off.
 */
export class EventStreams {
  readonly #limit: number;
  readonly #open = new Set<OpenStream>();
  readonly #timer: NodeJS.Timeout;

  /** @param limit open at a time. @param everyMs between the comments that keep a connection awake, milliseconds */
  constructor(limit: number, everyMs: number) {
    this.#limit = limit;
    this.#timer = setInterval(() => this.#tick(), everyMs).unref();
  }

  /**
   * Answers with the events that `begin` gives, until they end or the reader is gone. What `begin` throws is answered as any error.
   *
   * @throws AppError `http.too_many_streams`.
   */
  async serve(
    reply: FastifyReply,
    begin: (signal: AbortSignal) => Promise<AsyncIterable<StreamEvent>>,
  ): Promise<void> {
    if (this.#open.size >= this.#limit) throw tooMany(this.#limit);
    const response = reply.raw;
    const stream: OpenStream = { response, end: new AbortController(), isStalled: false };
    this.#open.add(stream);
    response.once('close', () => stream.end.abort());
    try {
      const events = await begin(stream.end.signal);
      reply.hijack();
      response.writeHead(200, headers);
      response.flushHeaders();
      await this.#write(stream, events);
      response.end();
    } catch (error) {
      if (!response.headersSent) throw error;
      // Too late for an error: the reader comes back and is told it then.
      response.destroy();
    } finally {
      this.#open.delete(stream);
    }
  }

  /** Ends all; their readers come back. */
  stop(): void {
    clearInterval(this.#timer);
    for (const { end } of this.#open) end.abort();
  }

  async #write(stream: OpenStream, events: AsyncIterable<StreamEvent>): Promise<void> {
    const { response, end } = stream;
    for await (const { event, id, data } of events) {
      const taken = response.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
      if (!taken) await once(response, 'drain', { signal: end.signal }).catch(() => undefined);
      if (end.signal.aborted) return;
      stream.isStalled = false;
    }
  }

  #tick(): void {
    for (const stream of this.#open) {
      const { response } = stream;
      if (!response.headersSent) continue;
      if (!response.writableNeedDrain) response.write(':\n\n');
      else if (stream.isStalled) response.destroy();
      else stream.isStalled = true;
    }
  }
}

function tooMany(limit: number) {
  return httpError('too_many_streams', `${limit} streams of events are open already`, {
    hint: 'Close streams that nobody reads, or ask for the dispatch with GET /v1/dispatches/:id.',
  });
}
