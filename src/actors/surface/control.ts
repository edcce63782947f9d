import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Review } from '../../plugins/review/reviewer.js';
import type { Devices } from '../device/devices.js';
import type { DeviceRecord, OfferedCapability } from '../device/record.js';
import type { CompiledSurface } from '../device/surface.js';
import { parseDeviceId } from '../identity/device-id.js';
import type { GrantRecord } from './grants.js';
import { surfaceActionsIn } from './machine.js';
import { approvalsOf, type Pin, refusalOf } from './state.js';
import type { GrantRequest, Surfaces } from './surfaces.js';
import type { DecideSurface, SurfaceControl, SurfaceDetail, SurfaceFilter, SurfaceView } from './view.js';

export interface SurfacesControlOptions {
  readonly surfaces: Surfaces;
  readonly compiled: CompiledSurface;
  readonly devices: Devices;
  readonly pin: Pin;
}

const defaultLimit = 100;

/** What operators see of what nodes offer, and do with it. */
export class SurfacesControl implements SurfaceControl {
  readonly #options: SurfacesControlOptions;

  constructor(options: SurfacesControlOptions) {
    this.#options = options;
  }

  async list(
    _caller: VerifiedCaller,
    { states, deviceId, limit = defaultLimit, cursor = '' }: SurfaceFilter,
  ): Promise<{ readonly surfaces: readonly SurfaceView[]; readonly next?: string }> {
    const { devices, compiled } = this.#options;
    const wanted = deviceId === undefined ? undefined : parseDeviceId(deviceId);
    const found = [...devices.all()]
      .filter(({ id, state }) => state === 'trusted' && (wanted === undefined || id === wanted))
      .flatMap((device) =>
        device.offered.map((offered) => ({ device, offered, key: keyOf(device, offered) })),
      )
      .filter(({ key }) => key > cursor)
      .filter(({ device, offered }) => states?.includes(compiled.state(device, offered)) ?? true)
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const surfaces: SurfaceView[] = [];
    for (const { device, offered } of page) surfaces.push(await this.#view(device, offered));
    return { surfaces, ...(last === undefined || found.length <= limit ? {} : { next: last.key }) };
  }

  async get(_caller: VerifiedCaller, deviceId: string, capability: string): Promise<SurfaceDetail> {
    const { surfaces, compiled } = this.#options;
    const { device, offered } = surfaces.require(parseDeviceId(deviceId), capability);
    const descriptor = surfaces.descriptor(offered.digest);
    const [last] = approvalsOf(device, capability);
    const before = last && compiled.descriptor(last.digest);
    return {
      ...(await this.#view(device, offered)),
      ...(descriptor === undefined ? {} : { descriptor }),
      ...(before === undefined ? {} : { before }),
    };
  }

  async decide(
    caller: VerifiedCaller,
    deviceId: string,
    capability: string,
    { action, reason, ...seen }: DecideSurface,
  ): Promise<SurfaceView> {
    const { surfaces } = this.#options;
    const id = parseDeviceId(deviceId);
    await surfaces.decide(id, capability, { type: action, caller, reason }, seen);
    const { device, offered } = surfaces.require(id, capability);
    return this.#view(device, offered);
  }

  async grants(_caller: VerifiedCaller): Promise<readonly GrantRecord[]> {
    return this.#options.compiled.grants.list();
  }

  grant(caller: VerifiedCaller, request: GrantRequest): Promise<GrantRecord> {
    return this.#options.surfaces.grant(caller, { ...request, deviceId: parseDeviceId(request.deviceId) });
  }

  withdraw(caller: VerifiedCaller, id: string, reason: string): Promise<GrantRecord> {
    return this.#options.surfaces.withdraw(caller, id, reason);
  }

  async #view(device: DeviceRecord, offered: OfferedCapability): Promise<SurfaceView> {
    const { surfaces, compiled, pin } = this.#options;
    const state = compiled.state(device, offered);
    const granted = state === 'approved' ? compiled.grants.covering(device, offered, pin) : undefined;
    const [approved] = approvalsOf(device, offered.capability);
    const refused = refusalOf(device, offered);
    // What is approved compiles, and differs from what is approved in nothing.
    const review: Review = state === 'approved' ? {} : await surfaces.review(device, offered);
    return {
      ...offered,
      deviceId: device.id,
      node: device.name,
      state,
      enabled: compiled.isEnabled(offered.plugin),
      verdict: state === 'approved' ? 'same' : (review.difference?.verdict ?? 'new'),
      changes: review.difference?.changes ?? [],
      actions: surfaceActionsIn(state),
      ...(review.refusal === undefined ? {} : { refusal: review.refusal }),
      ...(approved === undefined ? {} : { approved }),
      ...(refused === undefined ? {} : { refused }),
      ...(granted === undefined ? {} : { granted }),
    };
  }
}

/** The order of a list, and its cursor. */
function keyOf(device: DeviceRecord, { capability }: OfferedCapability): string {
  return `${device.id}/${capability}`;
}
