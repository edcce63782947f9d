import type { AuthorityStatus, ForgetAuthority, RotateAuthority } from '../contract/authority.js';
import type { ContractDescriptor } from '../contract/contract-descriptor.js';
import type {
  DecideClone,
  DecideDevice,
  Device,
  DevicePage,
  LabelDevice,
  RenameDevice,
  RotateDevice,
} from '../contract/device.js';
import type { CreateDispatch, Dispatch, DispatchPage, RetryDispatch } from '../contract/dispatch.js';
import type { DispatchEvent } from '../contract/dispatch-events.js';
import type { DispatchForecast } from '../contract/dispatch-forecast.js';
import type { Explanation } from '../contract/explanation.js';
import type { CreateGrant, Grant, GrantList } from '../contract/grant.js';
import type { Inventory } from '../contract/inventory.js';
import type { Pairing, PairingApproval, PairingList, PairingRejection } from '../contract/pairing.js';
import type {
  DecideCode,
  MintedJoinCode,
  MintedPairingCode,
  MintedPin,
  MintPairingCode,
  PairingCode,
  PairingCodePage,
  PinPairing,
} from '../contract/pairing-code.js';
import type { PluginList, PluginReload } from '../contract/plugin.js';
import type { PruneJob, PruneOrder, Pruning } from '../contract/pruning.js';
import type { RouteQuery } from '../contract/route-schemas.js';
import type { DecideSurface, Surface, SurfaceDetail, SurfacePage } from '../contract/surface.js';
import type { ControlPlaneClientOptions, FollowOptions, RequestOptions } from './client-options.js';
import { createDispatch } from './create-dispatch.js';
import { FanoutCalls } from './fanout-calls.js';
import { followDispatch } from './follow-dispatch.js';
import { Requests } from './requests.js';

/** An RSA key takes seconds on a slow machine. */
const makingKeyMs = 70_000;

/**
 * The control plane of a daemon. Before the first request it asks for the contract and refuses one of another major.
 *
 * All methods reject with an AppError: those of the daemon by their own codes (with `details.traceId`), and
 * `client.unreachable` when nothing was sent, `client.timeout`, `client.bad_response`, `client.contract_mismatch`, and
 * `client.outcome_unknown` when a change was asked for and the answer was lost.
 *
 * @example
 * const client = new ControlPlaneClient({ baseUrl: 'http://127.0.0.1:7142', token });
 * const { outcome } = await client.createDispatch({ node: 'build-7', capability: 'echo', input: {}, wait: true });
 */
export class ControlPlaneClient {
  /** One capability on many nodes. */
  readonly fanouts: FanoutCalls;
  readonly #requests: Requests;

  /** @throws AppError `client.invalid_url` */
  constructor(options: ControlPlaneClientOptions) {
    this.#requests = new Requests(options);
    this.fanouts = new FanoutCalls(this.#requests);
  }

  get baseUrl(): string {
    return this.#requests.endpoint.baseUrl;
  }

  /** The contract of the daemon; asked once. */
  contract(options?: RequestOptions): Promise<ContractDescriptor> {
    return this.#requests.contract(options);
  }

  mintPairingCode(body: MintPairingCode, options?: RequestOptions): Promise<MintedPairingCode> {
    return this.#requests.send('mintPairingCode', { body }, options);
  }

  /** Mints a PIN. */
  async mintPin(body: Omit<MintPairingCode, 'method' | 'qr'>, options?: RequestOptions): Promise<MintedPin> {
    return (await this.mintPairingCode({ ...body, method: 'pin' }, options)) as MintedPin;
  }

  /** Mints a join string. */
  async mintJoinString(
    body: Omit<MintPairingCode, 'method'>,
    options?: RequestOptions,
  ): Promise<MintedJoinCode> {
    return (await this.mintPairingCode({ ...body, method: 'join' }, options)) as MintedJoinCode;
  }

  /** One page of the codes, the newest first. */
  listPairingCodes(
    query: RouteQuery<'listPairingCodes'> = {},
    options?: RequestOptions,
  ): Promise<PairingCodePage> {
    return this.#requests.send('listPairingCodes', { query }, options);
  }

  getPairingCode(id: string, options?: RequestOptions): Promise<PairingCode> {
    return this.#requests.send('getPairingCode', { params: { id } }, options);
  }

  cancelPairingCode(id: string, body: DecideCode = {}, options?: RequestOptions): Promise<PairingCode> {
    return this.#requests.send('cancelPairingCode', { params: { id }, body }, options);
  }

  /** Whether PINs are locked. */
  pinPairing(options?: RequestOptions): Promise<PinPairing> {
    return this.#requests.send('getPinPairing', {}, options);
  }

  unlockPinPairing(body: DecideCode = {}, options?: RequestOptions): Promise<PinPairing> {
    return this.#requests.send('unlockPinPairing', { body }, options);
  }

  /** One page of the requests to join, the newest first. */
  listPairings(query: RouteQuery<'listPairings'> = {}, options?: RequestOptions): Promise<PairingList> {
    return this.#requests.send('listPairings', { query }, options);
  }

  getPairing(id: string, options?: RequestOptions): Promise<Pairing> {
    return this.#requests.send('getPairing', { params: { id } }, options);
  }

  approvePairing(id: string, body: PairingApproval, options?: RequestOptions): Promise<Pairing> {
    return this.#requests.send('approvePairing', { params: { id }, body }, options);
  }

  /** Takes a request back that is not decided. */
  cancelPairing(id: string, reason?: string, options?: RequestOptions): Promise<Pairing> {
    const body = reason === undefined ? {} : { reason };
    return this.#requests.send('cancelPairing', { params: { id }, body }, options);
  }

  rejectPairing(id: string, body: PairingRejection, options?: RequestOptions): Promise<Pairing> {
    return this.#requests.send('rejectPairing', { params: { id }, body }, options);
  }

  inventory(query: RouteQuery<'getInventory'> = {}, options?: RequestOptions): Promise<Inventory> {
    return this.#requests.send('getInventory', { query }, options);
  }

  /** One page of the devices, by id. */
  listDevices(query: RouteQuery<'listDevices'> = {}, options?: RequestOptions): Promise<DevicePage> {
    return this.#requests.send('listDevices', { query }, options);
  }

  getDevice(id: string, options?: RequestOptions): Promise<Device> {
    return this.#requests.send('getDevice', { params: { id } }, options);
  }

  renameDevice(id: string, body: RenameDevice, options?: RequestOptions): Promise<Device> {
    return this.#requests.send('renameDevice', { params: { id }, body }, options);
  }

  /** Sets labels and removes others. What is granted by label counts by them at once. */
  labelDevice(id: string, body: LabelDevice, options?: RequestOptions): Promise<Device> {
    return this.#requests.send('labelDevice', { params: { id }, body }, options);
  }

  /** Orders a device to renew its certificate: at once if it is connected, else when it is back. */
  rotateDevice(id: string, body: RotateDevice = {}, options?: RequestOptions): Promise<Device> {
    return this.#requests.send('rotateDevice', { params: { id }, body }, options);
  }

  /** Shuts a device out as it is, until {@link liftDevice}. */
  revokeDevice(id: string, body: DecideDevice, options?: RequestOptions): Promise<Device> {
    return this.#requests.send('revokeDevice', { params: { id }, body }, options);
  }

  /** Shuts a device out and forgets all of it but its id. */
  removeDevice(id: string, body: DecideDevice, options?: RequestOptions): Promise<Device> {
    return this.#requests.send('removeDevice', { params: { id }, body }, options);
  }

  /** Shuts an id out, whether it has ever come or not. */
  banDevice(id: string, body: DecideDevice, options?: RequestOptions): Promise<Device> {
    return this.#requests.send('banDevice', { params: { id }, body }, options);
  }

  /** Says which of several hosts with one identity is the device. */
  decideClone(id: string, body: DecideClone, options?: RequestOptions): Promise<Device> {
    return this.#requests.send('decideClone', { params: { id }, body }, options);
  }

  /** Takes a bar off: a revoked device may connect again, any other may ask to join. */
  liftDevice(id: string, body: DecideDevice, options?: RequestOptions): Promise<Device> {
    return this.#requests.send('liftDevice', { params: { id }, body }, options);
  }

  /** One page of what nodes offer. */
  listGrants(options?: RequestOptions): Promise<GrantList> {
    return this.#requests.send('listGrants', {}, options);
  }

  /** Approves what a node offers for every device that has the labels. */
  createGrant(body: CreateGrant, options?: RequestOptions): Promise<Grant> {
    return this.#requests.send('createGrant', { body }, options);
  }

  withdrawGrant(id: string, reason?: string, options?: RequestOptions): Promise<Grant> {
    const body = reason === undefined ? {} : { reason };
    return this.#requests.send('withdrawGrant', { params: { id }, body }, options);
  }

  listPlugins(options?: RequestOptions): Promise<PluginList> {
    return this.#requests.send('listPlugins', {}, options);
  }

  /** All that go by one name. */
  getPlugin(plugin: string, options?: RequestOptions): Promise<PluginList> {
    return this.#requests.send('getPlugin', { params: { plugin } }, options);
  }

  /** Has the daemon read its configuration and plugin folders again. */
  reloadPlugins(options?: RequestOptions): Promise<PluginReload> {
    return this.#requests.send('reloadPlugins', { body: {} }, options);
  }

  listSurfaces(query: RouteQuery<'listSurfaces'> = {}, options?: RequestOptions): Promise<SurfacePage> {
    return this.#requests.send('listSurfaces', { query }, options);
  }

  getSurface(id: string, capability: string, options?: RequestOptions): Promise<SurfaceDetail> {
    return this.#requests.send('getSurface', { params: { id, capability } }, options);
  }

  /** Decides about a capability on one node; `surface.changed` when the node offers another one by then. */
  decideSurface(
    id: string,
    capability: string,
    body: DecideSurface,
    options?: RequestOptions,
  ): Promise<Surface> {
    return this.#requests.send('decideSurface', { params: { id, capability }, body }, options);
  }

  /** How the certificate authorities of the daemon stand. */
  authority(options?: RequestOptions): Promise<AuthorityStatus> {
    return this.#requests.send('getAuthority', {}, options);
  }

  /** Begins to move to a new certificate authority. Takes as long as making its key. */
  rotateAuthority(body: RotateAuthority = {}, options?: RequestOptions): Promise<AuthorityStatus> {
    return this.#requests.send('rotateAuthority', { body }, options, makingKeyMs);
  }

  /** Deletes a retired certificate authority. */
  forgetAuthority(body: ForgetAuthority, options?: RequestOptions): Promise<AuthorityStatus> {
    return this.#requests.send('forgetAuthority', { body }, options);
  }

  /**
   * Runs a capability. Without a key in the request the client makes one that counts where the work must not be done twice.
   * With `wait` this takes as long as the dispatch: its end, or `dispatch.wait_timeout` with `details.dispatchId`.
   *
   * @throws AppError `client.outcome_unknown` with `details.idempotencyKey`, with which it is safe to ask again.
   */
  createDispatch(request: CreateDispatch, options?: RequestOptions): Promise<Dispatch> {
    return createDispatch(this.#requests, request, options);
  }

  /** What `createDispatch` would lead to. It leaves nothing behind, takes no key, and makes none. */
  foreseeDispatch(request: CreateDispatch, options?: RequestOptions): Promise<DispatchForecast> {
    return this.#requests.send('foreseeDispatch', { body: request }, options);
  }

  getDispatch(id: string, options?: RequestOptions): Promise<Dispatch> {
    return this.#requests.send('getDispatch', { params: { id } }, options);
  }

  /**
   * Reads a dispatch when it has ended.
   *
   * @throws AppError `dispatch.wait_timeout` when it has not after the time that handler and person have.
   */
  awaitDispatch(id: string, options?: RequestOptions): Promise<Dispatch> {
    return this.#requests.send(
      'getDispatch',
      { params: { id }, query: { wait: true } },
      options,
      Number.POSITIVE_INFINITY,
    );
  }

  /** Begins to delete dispatches that have ended, in the background, or joins that; {@link pruning} says how far it is. */
  pruneDispatches(order: PruneOrder = {}, options?: RequestOptions): Promise<PruneJob> {
    return this.#requests.send('pruneDispatches', { body: order }, options);
  }

  /** How far the deletion is that was ordered last. */
  pruning(options?: RequestOptions): Promise<Pruning> {
    return this.#requests.send('getPruning', {}, options);
  }

  /**
   * Follows a dispatch to its end: its steps, what its handler sends as progress, and the dispatch itself. Goes on by itself when the
   * connection breaks, also over a restart of the daemon; what was dropped meanwhile comes as `gap`.
   *
   * @example
   * for await (const one of client.followDispatch(id)) if (one.event === 'progress') console.log(one.data.value);
   */
  async *followDispatch(id: string, options: FollowOptions = {}): AsyncGenerator<DispatchEvent, void> {
    await this.contract(options);
    yield* followDispatch(this.#requests.endpoint, id, options);
  }

  /** Asks again for what has ended, with a key of its own. */
  retryDispatch(id: string, request: RetryDispatch = {}, options?: RequestOptions): Promise<Dispatch> {
    const body = { keyIfNeeded: crypto.randomUUID(), ...request };
    return this.#requests.send('retryDispatch', { params: { id }, body }, options);
  }

  listDispatches(query: RouteQuery<'listDispatches'> = {}, options?: RequestOptions): Promise<DispatchPage> {
    return this.#requests.send('listDispatches', { query }, options);
  }

  /** Explains a dispatch, a pairing or a node. @param subject an id, or a node's name. */
  explain(subject: string, options?: RequestOptions): Promise<Explanation> {
    return this.#requests.send('explain', { params: { subject } }, options);
  }

  cancelDispatch(id: string, reason?: string, options?: RequestOptions): Promise<Dispatch> {
    return this.#requests.send(
      'cancelDispatch',
      { params: { id }, body: reason === undefined ? {} : { reason } },
      options,
    );
  }
}
