import { callerLabel, permits, senderText, type VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { type Cause, causeOf } from '../../kernel/journal.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Descriptor } from '../../plugins/descriptor.js';
import type { DescriptorReviewer, Review } from '../../plugins/review/reviewer.js';
import type { DecidedDevice, Devices } from '../device/devices.js';
import type { Labels } from '../device/labels.js';
import type { DeviceRecord, OfferedCapability, SurfaceApproval } from '../device/record.js';
import type { CompiledSurface } from '../device/surface.js';
import { deviceError, surfaceError } from '../errors.js';
import type { RequestedCapability } from '../pairing/record.js';
import { type SurfaceDecisionEvent, type SurfaceEvent, surfaceSenders } from './events.js';
import type { GrantRecord } from './grants.js';
import { decideSurface } from './machine.js';
import type { Offers } from './offers.js';
import { approvalsOf, type Pin } from './state.js';

export interface SurfacesOptions {
  readonly devices: Devices;
  readonly compiled: CompiledSurface;
  readonly offers: Offers;
  readonly reviewer: DescriptorReviewer;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: KernelLog;
  readonly pin: Pin;
  /** What may run on a device, or on any when none is named, has changed. */
  changed(deviceId?: string): void;
  /** An operator took a capability off a device: what runs of it there is to end. */
  revoked(deviceId: string, capability: string, event: SurfaceDecisionEvent): void;
}

/** How many reviews are remembered: the nodes of a fleet offer the same things. */
const mostReviews = 1_024;

/** What an operator saw when they decided. */
export interface Seen {
  readonly digest: string;
  readonly buildDigest?: string;
}

/** What an operator grants by label: what a node offers, as they saw it. */
export interface GrantRequest extends Seen {
  readonly deviceId: string;
  readonly capability: string;
  readonly labels: Labels;
  readonly reason: string;
}

/**
 * The one way in which a capability that a node offers comes to be approved for it after its pairing, or stops to be: by an
 * operator's decision, or because it asks for no more than what an operator approved before.
 */
export class Surfaces {
  readonly #options: SurfacesOptions;
  readonly #reviews = new Map<string, Promise<Review>>();

  constructor(options: SurfacesOptions) {
    this.#options = options;
    options.devices.onDecided((decided) => {
      const { device } = decided;
      if (decided.action === 'label') this.#relabelled(decided);
      if (device.offered.length > 0) return;
      this.#report(options.offers.replace(device.id, []), device.id);
    });
  }

  /** Takes what a device with a session offers and is not approved: data until somebody approves it, or an approval covers it. */
  announced(deviceId: string, open: readonly RequestedCapability[]): void {
    this.#report(this.#take(deviceId, open), deviceId);
  }

  /** What a look at an offered capability shows, compared to what was approved last. */
  async review(device: DeviceRecord, offered: OfferedCapability): Promise<Review> {
    const { compiled } = this.#options;
    const after = this.descriptor(offered.digest);
    if (after === undefined) return { refusal: notKept(offered).toEnvelope() };
    const [last] = approvalsOf(device, offered.capability);
    return this.#review(last, last && compiled.descriptor(last.digest), offered.digest, after);
  }

  /** The descriptor with a digest: approved, or offered and kept. */
  descriptor(digest: string): Descriptor | undefined {
    return this.#options.compiled.descriptor(digest) ?? this.#options.offers.get(digest);
  }

  /**
   * Carries out what an operator decided about a capability that a device offers.
   *
   * @throws AppError as `SurfaceControl.decide`.
   */
  async decide(
    deviceId: string,
    capability: string,
    event: SurfaceDecisionEvent,
    seen: Seen,
  ): Promise<DeviceRecord> {
    const { pin, clock, compiled } = this.#options;
    const { device, offered } = this.require(deviceId, capability);
    // Who may not, or can not, costs nothing.
    requireSeen(offered, seen);
    decideSurface(device, offered, event, { pin, grants: compiled.grants, now: clock.now() });
    const note = `${capability}${event.reason === '' ? '' : `: ${event.reason}`}`;
    const cause = causeOf({ type: `surface.${event.type}`, caller: event.caller }, '', note);
    if (event.type !== 'approve') {
      const decided = await this.#apply(deviceId, capability, event, seen, cause);
      if (event.type === 'revoke') this.#options.revoked(deviceId, capability, event);
      return decided;
    }
    const descriptor = this.descriptor(offered.digest);
    if (descriptor === undefined) throw notKept(offered);
    const prepared = await compiled.prepare([descriptor]);
    try {
      await compiled.keep(prepared);
      return await this.#apply(deviceId, capability, event, seen, cause);
    } finally {
      prepared.release();
    }
  }

  /**
   * Approves what a device offers for every device that has these labels, now or later.
   *
   * @throws AppError as `SurfaceControl.grant`.
   */
  async grant(caller: VerifiedCaller, request: GrantRequest): Promise<GrantRecord> {
    const { compiled, changed } = this.#options;
    requireApprover(caller);
    const { deviceId, capability, labels, reason, ...seen } = request;
    const { offered } = this.require(deviceId, capability);
    requireSeen(offered, seen);
    const descriptor = this.descriptor(offered.digest);
    if (descriptor === undefined) throw notKept(offered);
    const prepared = await compiled.prepare([descriptor]);
    try {
      await compiled.keep(prepared);
      const { digest, buildDigest } = offered;
      return await compiled.grants.add(caller, { capability, digest, buildDigest, labels, reason });
    } finally {
      prepared.release();
      changed();
    }
  }

  /** Takes a grant back. What runs by it alone is stopped. @throws AppError as `SurfaceControl.withdraw`. */
  async withdraw(caller: VerifiedCaller, id: string, reason: string): Promise<GrantRecord> {
    const { compiled, devices, changed, revoked } = this.#options;
    requireApprover(caller);
    const open = (device: DeviceRecord, offered: OfferedCapability): boolean =>
      offered.digest === compiled.grants.require(id).digest && compiled.state(device, offered) === 'approved';
    const before = [...devices.all()].flatMap((device) =>
      device.offered.filter((offered) => open(device, offered)).map((offered) => ({ device, offered })),
    );
    const withdrawn = await compiled.grants.withdraw(caller, id, reason);
    for (const { device, offered } of before) {
      if (compiled.state(device, offered) === 'approved') continue;
      revoked(device.id, offered.capability, { type: 'revoke', caller, reason });
    }
    changed();
    return withdrawn;
  }

  /** Grants go by labels: what runs by one that no longer covers the device is stopped, and its node is told what may run by now. */
  #relabelled({ before, device, caller, reason }: DecidedDevice): void {
    const { compiled, changed, revoked } = this.#options;
    for (const offered of device.offered) {
      const wasOpen = before !== undefined && compiled.state(before, offered) === 'approved';
      if (!wasOpen || compiled.state(device, offered) === 'approved') continue;
      revoked(device.id, offered.capability, { type: 'revoke', caller, reason });
    }
    changed(device.id);
  }

  /** @throws AppError `device.not_found`, `surface.not_offered`. */
  require(
    deviceId: string,
    capability: string,
  ): { readonly device: DeviceRecord; readonly offered: OfferedCapability } {
    const device = this.#options.devices.get(deviceId);
    if (device === undefined || device.state !== 'trusted') {
      throw deviceError('not_found', `There is no trusted device ${deviceId}`, {
        hint: 'See which there are: `palyra devices list`.',
      });
    }
    const offered = this.#options.compiled.offered(device, capability);
    if (offered) return { device, offered };
    throw surfaceError('not_offered', `Node ${device.name} does not offer ${capability}`, {
      hint: `See what it offers: palyra surfaces list --node ${device.name} --all`,
    });
  }

  async #take(deviceId: string, open: readonly RequestedCapability[]): Promise<void> {
    const { offers, log } = this.#options;
    const left = await offers.replace(deviceId, open);
    if (left.length > 0) {
      log.warn({ device: deviceId, capabilities: left.slice(0, 8) }, 'Too much is offered to keep all of it');
    }
    for (const one of open) await this.#follow(deviceId, one.capability);
  }

  /** Grants what asks for no more than an operator approved before on this device, of the same plugin and publisher. */
  async #follow(deviceId: string, capability: string): Promise<void> {
    const { devices, compiled, pin } = this.#options;
    const device = devices.get(deviceId);
    const offered = device && compiled.offered(device, capability);
    if (!device || !offered || pin === 'build' || compiled.state(device, offered) !== 'pending') return;
    const after = this.descriptor(offered.digest);
    if (after === undefined) return;
    for (const from of approvalsOf(device, capability)) {
      const before = compiled.descriptor(from.digest);
      if (before === undefined) continue;
      const { difference, refusal } = await this.#review(from, before, offered.digest, after);
      if (refusal !== undefined || difference === undefined || difference.verdict === 'wider') continue;
      await this.#grant(deviceId, offered, from, difference.verdict, after);
      return;
    }
  }

  async #grant(
    deviceId: string,
    offered: OfferedCapability,
    from: SurfaceApproval,
    verdict: string,
    descriptor: Descriptor,
  ): Promise<void> {
    const { compiled, log } = this.#options;
    const { capability } = offered;
    const { approvedBy, approvedAt } = from.follows ?? from;
    const note = `${capability} is ${verdict} than or as what ${approvedBy} approved on ${new Date(approvedAt).toISOString()}`;
    const prepared = await compiled.prepare([descriptor]);
    try {
      await compiled.keep(prepared);
      const cause: Cause = { event: 'surface.follow', by: 'system:daemon', note };
      await this.#apply(deviceId, capability, { type: 'follow', from }, offered, cause);
      log.info(
        { device: deviceId, capability, digest: offered.digest, verdict },
        'A changed capability is covered by its approval',
      );
    } catch (thrown) {
      // Meanwhile an operator refused it, or the node offers something else.
      if (thrown instanceof AppError && thrown.code.startsWith('surface.')) return;
      throw thrown;
    } finally {
      prepared.release();
    }
  }

  /** Writes a decision, if the device still offers what it is about, and the state still allows it. */
  async #apply(
    deviceId: string,
    capability: string,
    event: SurfaceEvent,
    seen: Seen,
    cause: Cause,
  ): Promise<DeviceRecord> {
    const { devices, compiled, pin, clock } = this.#options;
    const now = clock.now();
    const decided = await devices.update(
      deviceId,
      () => {
        const { device: current, offered } = this.require(deviceId, capability);
        requireSeen(offered, seen);
        return decideSurface(current, offered, event, { pin, grants: compiled.grants, now });
      },
      now,
      cause,
    );
    this.#options.changed(deviceId);
    return decided;
  }

  #review(
    from: SurfaceApproval | undefined,
    before: Descriptor | undefined,
    digest: string,
    after: Descriptor,
  ): Promise<Review> {
    const key = `${before === undefined ? '' : from?.digest} ${digest}`;
    const known = this.#reviews.get(key);
    if (known !== undefined) return known;
    const review = this.#options.reviewer.review(before === undefined ? { after } : { before, after });
    this.#reviews.set(key, review);
    for (const oldest of this.#reviews.keys()) {
      if (this.#reviews.size <= mostReviews) break;
      this.#reviews.delete(oldest);
    }
    // What failed for want of time or room may succeed later.
    review.then(({ refusal }) => {
      if (refusal?.retryable) this.#reviews.delete(key);
    });
    return review;
  }

  #report(work: Promise<unknown>, deviceId: string): void {
    work.catch((err: unknown) => {
      this.#options.log.warn({ err, device: deviceId }, 'What a node offers could not be looked at');
    });
  }
}

/** @throws AppError `surface.forbidden` */
function requireApprover(caller: VerifiedCaller): void {
  const sender = surfaceSenders.approve;
  if (permits(sender, caller)) return;
  throw surfaceError('forbidden', `${callerLabel(caller)} may not grant what nodes offer`, {
    hint: `It takes ${senderText(sender)}.`,
  });
}

function requireSeen(offered: OfferedCapability, seen: Seen): void {
  const isSame =
    offered.digest === seen.digest &&
    (seen.buildDigest === undefined || seen.buildDigest === offered.buildDigest);
  if (isSame) return;
  throw surfaceError('changed', `The node offers another ${offered.capability} by now`, {
    fields: [{ field: 'digest', message: `is not ${offered.digest}` }],
    hint: 'Look at it again with `palyra surfaces show`, then decide.',
  });
}

function notKept({ capability }: OfferedCapability): AppError {
  return surfaceError('not_kept', `The daemon does not have what ${capability} promises`, {
    hint: 'It is there again when the node connects, unless it or all nodes together offer too much that is not approved.',
  });
}
