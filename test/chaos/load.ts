import type { ControlPlaneClient, Dispatch } from '../../src/client/index.js';
import { AppError } from '../../src/kernel/errors.js';
import type { Chance } from './chance.js';
import { delay } from './delay.js';
import type { ClientRequest } from './history.js';
import { type PlannedRequest, planRequest } from './plan.js';

/** Refusals that only say "not now". */
const passing: ReadonlySet<string> = new Set([
  'client.unreachable',
  'client.timeout',
  'dispatch.node_offline',
  'dispatch.busy',
  'dispatch.stopping',
]);

export interface LoadOptions {
  readonly chance: Chance;
  readonly clients: number;
  readonly client: () => ControlPlaneClient;
  /** Resolves when the next request may begin; false: there is none. */
  readonly turn: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** Many clients, each with one request after the other, which they do not let go of before they have an answer. */
export class Load {
  readonly requests: ClientRequest[] = [];
  retries = 0;
  readonly #options: LoadOptions;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Resolves when every client has done its last request. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.clients }, () => this.#client()));
  }

  async #client(): Promise<void> {
    const { client, turn, chance, signal } = this.#options;
    const api = client();
    while (!signal.aborted && (await turn())) await this.#request(api, planRequest(chance));
  }

  async #request(api: ControlPlaneClient, plan: PlannedRequest): Promise<void> {
    const request = this.#begin(plan);
    const asking = [this.#insist(api, plan, request)];
    if (plan.twice) asking.push(this.#insist(api, plan, request));
    const [answered] = await Promise.all(asking);
    const [answer] = answered?.answers ?? [];
    if (answered && answer && plan.cancelAfterMs !== undefined) {
      await this.#cancel(api, answered, plan, answer.id);
    }
  }

  /** Asks until there is an answer. Returns the request that got it. */
  async #insist(
    api: ControlPlaneClient,
    plan: PlannedRequest,
    first: ClientRequest,
  ): Promise<ClientRequest | undefined> {
    let request = first;
    for (;;) {
      request.attempts += 1;
      const outcome = await this.#ask(api, plan, request);
      if (outcome === 'answered') return request;
      if (this.#options.signal.aborted) {
        request.gaveUp = 'The run was ended';
        return undefined;
      }
      this.retries += 1;
      await delay(this.#options.chance.between(20, 400));
      // What may be repeated has no key: asked again it is other work, and what became of the first is nobody's business.
      if (outcome === 'lost' && request.key === undefined) {
        request.gaveUp = 'The answer was lost';
        request = this.#begin(plan);
      }
    }
  }

  #begin({ kind, capability, keyed }: PlannedRequest): ClientRequest {
    const token = `t${this.requests.length + 1}`;
    const request: ClientRequest = {
      token,
      kind,
      capability,
      attempts: 0,
      answers: [],
      wantedCancelled: false,
      ...(keyed ? { key: `key-${token}` } : {}),
    };
    this.requests.push(request);
    return request;
  }

  async #ask(
    api: ControlPlaneClient,
    plan: PlannedRequest,
    request: ClientRequest,
  ): Promise<'answered' | 'refused' | 'lost'> {
    const { capability, wait, queue, timeoutMs, work } = plan;
    const { token, key } = request;
    try {
      const { id, state, idempotencyKey } = await api.createDispatch(
        {
          node: 'worker',
          capability,
          input: { token, ...work },
          timeoutMs,
          ...(wait ? { wait } : {}),
          ...(queue ? { queue } : {}),
          ...(key === undefined ? {} : { idempotencyKey: key }),
        },
        { signal: this.#options.signal },
      );
      request.answers.push({ id, state });
      if (idempotencyKey !== undefined) request.key = idempotencyKey;
      return 'answered';
    } catch (thrown) {
      return this.#understand(thrown, request, !capability.startsWith('again'));
    }
  }

  #understand(thrown: unknown, request: ClientRequest, isOnce: boolean): 'answered' | 'refused' | 'lost' {
    if (this.#options.signal.aborted) return 'lost';
    if (!(thrown instanceof AppError)) throw thrown;
    const { dispatchId, state, idempotencyKey } = thrown.details ?? {};
    if (thrown.code === 'dispatch.wait_timeout') {
      request.answers.push({ id: String(dispatchId), state: state as Dispatch['state'] });
      return 'answered';
    }
    if (thrown.code === 'client.outcome_unknown') {
      // From here on it asks with the key that the client made for it.
      if (isOnce && typeof idempotencyKey === 'string') request.key = idempotencyKey;
      return 'lost';
    }
    if (passing.has(thrown.code)) return 'refused';
    throw thrown;
  }

  /** Asks until the daemon has an opinion. */
  async #cancel(
    api: ControlPlaneClient,
    request: ClientRequest,
    { cancelAfterMs = 0 }: PlannedRequest,
    id: string,
  ): Promise<void> {
    await delay(cancelAfterMs);
    request.wantedCancelled = true;
    while (!this.#options.signal.aborted) {
      try {
        await api.cancelDispatch(id, 'chaos');
        return;
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown;
        // One that is gone is for the checker, which knows that it was accepted.
        if (thrown.code === 'dispatch.already_ended' || thrown.code === 'dispatch.not_found') return;
        if (thrown.code !== 'client.outcome_unknown' && !passing.has(thrown.code)) throw thrown;
        this.retries += 1;
        await delay(this.#options.chance.between(20, 400));
      }
    }
  }
}
