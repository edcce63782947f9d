import type { CreateFanout, Fanout, FanoutPage, FanoutPlan, PlanFanout } from '../contract/fanout.js';
import { openMemberStates } from '../contract/fanout-states.js';
import type { RouteQuery } from '../contract/route-schemas.js';
import type { RequestOptions } from './client-options.js';
import type { Requests } from './requests.js';

/** How long one request of {@link FanoutCalls.follow} waits at the daemon, and how long for its answer beyond that, milliseconds. */
const pollMs = 25_000;
const marginMs = 10_000;
/** Looking at a thousand targets, each with a large input, takes its time. */
const planningMs = 60_000;

/**
 * Fan-outs: one capability on many nodes.
 *
 * @example
 * const { targetsDigest } = await client.fanouts.plan({ selector: 'role=edge', capability: 'echo', input: {} });
 * const { id } = await client.fanouts.create({ selector: 'role=edge', capability: 'echo', input: {}, targetsDigest });
 * for await (const { members } of client.fanouts.follow(id)) console.log(members);
 */
export class FanoutCalls {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** What a fan-out would do on each target. Nothing runs. */
  plan(body: PlanFanout, options?: RequestOptions): Promise<FanoutPlan> {
    return this.#requests.send('planFanout', { body }, options, planningMs);
  }

  /** Starts a fan-out. Without a key in the request the client makes one, so that asking again is safe. */
  create(body: CreateFanout, options?: RequestOptions): Promise<Fanout> {
    const idempotencyKey = body.idempotencyKey ?? crypto.randomUUID();
    return this.#requests.send('createFanout', { body: { ...body, idempotencyKey } }, options, planningMs);
  }

  get(id: string, query: RouteQuery<'getFanout'> = {}, options?: RequestOptions): Promise<Fanout> {
    return this.#requests.send('getFanout', { params: { id }, query }, options, (query.wait ?? 0) + marginMs);
  }

  /** One page of the fan-outs, the newest first, without their targets. */
  list(query: RouteQuery<'listFanouts'> = {}, options?: RequestOptions): Promise<FanoutPage> {
    return this.#requests.send('listFanouts', { query }, options);
  }

  /** Starts no more targets and cancels those under way. */
  cancel(id: string, reason?: string, options?: RequestOptions): Promise<Fanout> {
    const body = reason === undefined ? {} : { reason };
    return this.#requests.send('cancelFanout', { params: { id }, body }, options);
  }

  /**
   * A fan-out after each change, with those targets alone that changed, until it has ended. A daemon that is started again
   * meanwhile tells of all that can have changed.
   */
  async *follow(id: string, options?: RequestOptions): AsyncGenerator<Fanout> {
    let after = 0;
    for (;;) {
      const fanout = await this.get(id, { after, wait: pollMs }, options);
      yield fanout;
      if (fanout.finishedAt !== undefined) return;
      after = fanout.revision;
    }
  }
}

/** Whether a target has ended, or will not be started. */
export function hasEnded({ state }: Fanout['members'][number]): boolean {
  return !openMemberStates.some((open) => open === state);
}
