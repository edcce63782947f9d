import type { ServerResponse } from 'node:http';

/**
 * The replies that wait for a dispatch to end. Clients and proxies give up on a connection that is silent for some
 * minutes; an interim `102 Processing` (RFC 2518) now and then tells them that it lives.
 */
export class WaitingReplies {
  readonly #replies = new Set<ServerResponse>();
  readonly #timer: NodeJS.Timeout;

  /** @param everyMs one timer for all replies, milliseconds */
  constructor(everyMs: number) {
    this.#timer = setInterval(() => this.#tick(), everyMs).unref();
  }

  /** Keeps the connection of that reply awake until the work is done, which is told when the caller leaves. */
  async keep<T>(reply: ServerResponse, work: (gone: AbortSignal) => Promise<T>): Promise<T> {
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    reply.once('close', leave);
    this.#replies.add(reply);
    try {
      return await work(gone.signal);
    } finally {
      reply.off('close', leave);
      this.#replies.delete(reply);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    for (const reply of this.#replies) {
      if (reply.destroyed || reply.headersSent) this.#replies.delete(reply);
      else reply.writeProcessing();
    }
  }
}
