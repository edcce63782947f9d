import type { DispatchEvent as Followed } from '../contract/dispatch-events.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import { AppError } from '../kernel/errors.js';
import { abortable } from './abortable.js';
import { clientError } from './client-errors.js';
import type { FollowOptions } from './client-options.js';
import { sourceEvents } from './event-source.js';
import { type Endpoint, openStream } from './exchange.js';

/** So many attempts in a row to come back may fail: about half a minute. */
const mostAttempts = 10;
/** A stream that held so long was a good one, although nothing happened: milliseconds. */
const soundAfterMs = 5_000;

/**
 * What happened to a dispatch and what happens, to its end. A stream that breaks is opened again, after the last event that came, so
 * that each comes once and in order; only the first attempt fails at once.
 */
export async function* followDispatch(
  endpoint: Endpoint,
  id: string,
  { signal, after }: FollowOptions,
): AsyncGenerator<Followed, void> {
  const backoff = jitteredBackoff({ firstMs: 250, baseMs: 500, maxMs: 5_000, random: Math.random });
  let last = after;
  let wasOpen = false;
  for (;;) {
    const openedAt = performance.now();
    let failure: unknown;
    try {
      const body = await openStream(endpoint, 'followDispatch', { params: { id } }, last, signal);
      wasOpen = true;
      for await (const event of sourceEvents(body)) {
        backoff.reset();
        last = event.id;
        yield event as Followed;
        if (event.event === 'end') return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!wasOpen || (error instanceof AppError && !error.retryable)) throw error;
      failure = error;
    }
    if (performance.now() - openedAt > soundAfterMs) backoff.reset();
    if (backoff.attempts >= mostAttempts) throw failure ?? lost(id);
    await abortable(pause(backoff.next()), signal);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function lost(id: string): AppError {
  return clientError('unreachable', `The stream of ${id} ends again and again before the dispatch does`, {
    hint: 'See how it stands: palyra dispatches show, and the log of palyrad.',
  });
}
