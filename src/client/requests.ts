import type { ContractDescriptor } from '../contract/contract-descriptor.js';
import { contract } from '../contract/contract-version.js';
import type { RouteResponse } from '../contract/route-schemas.js';
import type { RouteName } from '../contract/route-table.js';
import { Secret } from '../kernel/secret.js';
import { abortable } from './abortable.js';
import { clientError } from './client-errors.js';
import type { ControlPlaneClientOptions, RequestOptions } from './client-options.js';
import { type Endpoint, type ExchangeOptions, exchange, type RouteRequest } from './exchange.js';
import { normalUrl } from './normal-url.js';

/** The requests of one client to one daemon. The first waits for the contract of the daemon, and one of another major ends it. */
export class Requests {
  readonly endpoint: Endpoint;
  /** How long an answer may take where nothing else is said, milliseconds. */
  readonly timeoutMs: number;
  #contract: Promise<ContractDescriptor> | undefined;

  /** @throws AppError `client.invalid_url` */
  constructor(options: ControlPlaneClientOptions) {
    const { token, timeoutMs = 10_000 } = options;
    this.endpoint = {
      baseUrl: normalUrl(options.baseUrl),
      token: typeof token === 'string' ? new Secret(token) : token,
      fetch: options.fetch ?? globalThis.fetch,
    };
    this.timeoutMs = timeoutMs;
  }

  /** The contract of the daemon; asked once, and again after a failure. */
  contract(options: RequestOptions = {}): Promise<ContractDescriptor> {
    this.#contract ??= this.#checkContract().catch((error: unknown) => {
      this.#contract = undefined;
      throw error;
    });
    return abortable(this.#contract, options.signal);
  }

  /**
   * Sends one request to a route.
   *
   * @param timeoutMs how long to wait for the answer; infinity waits as long as the connection shows signs of life.
   */
  async send<Name extends RouteName>(
    name: Name,
    request: RouteRequest<Name>,
    { signal }: RequestOptions = {},
    timeoutMs: number = this.timeoutMs,
  ): Promise<RouteResponse<Name>> {
    await this.contract(signal === undefined ? {} : { signal });
    const limit = timeoutMs === Number.POSITIVE_INFINITY ? undefined : timeoutMs;
    const options: ExchangeOptions = { signal, timeoutMs: limit };
    return exchange(this.endpoint, name, request, options);
  }

  async #checkContract(): Promise<ContractDescriptor> {
    const found = await exchange(this.endpoint, 'getContract', {}, { timeoutMs: this.timeoutMs });
    if (found.name === contract.name && found.major === contract.major) return found;
    const upgrade = found.name === contract.name && found.major < contract.major ? 'palyrad' : 'this program';
    const message = `palyrad at ${this.endpoint.baseUrl} speaks ${found.name} ${found.major}.${found.minor}, this program ${contract.name} ${contract.major}.${contract.minor}`;
    throw clientError('contract_mismatch', message, {
      hint: `Upgrade ${upgrade}.`,
      details: { found, expected: contract },
    });
  }
}
