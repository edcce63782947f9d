import 'reflect-metadata';
import {
  type DependencyContainer,
  type InjectionToken,
  instanceCachingFactory,
  container as rootContainer,
} from 'tsyringe';
import { sendToAuthority } from '../actors/addresses.js';
import type { AuthorityRecords } from '../actors/authority/authority-records.js';
import { AuthoritiesControl, type CaFacts } from '../actors/authority/control.js';
import { DevicesControl } from '../actors/device/control.js';
import type { Devices } from '../actors/device/devices.js';
import { Inventory } from '../actors/device/inventory.js';
import { Renewals } from '../actors/device/renewals.js';
import type { CompiledSurface } from '../actors/device/surface.js';
import { Dispatches } from '../actors/dispatch/dispatches.js';
import { DispatchFeeds } from '../actors/dispatch/feeds.js';
import { LiveDispatches } from '../actors/dispatch/live.js';
import { DispatchRecorder } from '../actors/dispatch/recorder.js';
import { DispatchRetention } from '../actors/dispatch/retention.js';
import { Explanations } from '../actors/explanations.js';
import { Fanouts } from '../actors/fanout/fanouts.js';
import type { FanoutRecord } from '../actors/fanout/record.js';
import { Attempts } from '../actors/pairing/attempts.js';
import { CodesControl } from '../actors/pairing/code-control.js';
import type { PairingCodes } from '../actors/pairing/codes.js';
import { PairingsControl } from '../actors/pairing/control.js';
import { Enrolment } from '../actors/pairing/enrolment.js';
import { Nonces } from '../actors/pairing/nonces.js';
import type { Pairings } from '../actors/pairing/pairings.js';
import type { PairingState } from '../actors/pairing/record.js';
import { Returns } from '../actors/pairing/returns.js';
import type { PluginControl } from '../actors/plugin-control.js';
import { PruningControl } from '../actors/pruning/control.js';
import { Recorder } from '../actors/recorder.js';
import { Sessions } from '../actors/session/sessions.js';
import { SurfacesControl } from '../actors/surface/control.js';
import type { Offers } from '../actors/surface/offers.js';
import { Surfaces } from '../actors/surface/surfaces.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Store } from '../kernel/store.js';
import type { Catalog } from '../plugins/catalog.js';
import type { DescriptorReviewer } from '../plugins/review/reviewer.js';
import type { DaemonConfig } from './config/daemon-config.js';
import { type Advertised, type IssuingAuthority, tokens } from './tokens.js';

/** What is opened, asynchronously, before the container is made. */
export interface Opened {
  readonly kernel: Kernel;
  readonly config: DaemonConfig;
  readonly store: Store;
  readonly authorities: IssuingAuthority;
  readonly authorityRecords: AuthorityRecords;
  readonly factsOfCa: (fingerprint: string) => CaFacts | undefined;
  readonly catalog: Catalog;
  readonly plugins: PluginControl;
  readonly surface: CompiledSurface;
  readonly offers: Offers;
  readonly reviewer: DescriptorReviewer;
  readonly devices: Devices;
  readonly codes: PairingCodes;
  readonly pairings: Pairings;
  readonly advertised: Advertised;
  readonly storeFailed: (error: unknown) => void;
}

/** Milliseconds that a state of a pairing may last without progress. */
export function pairingLifetime(config: DaemonConfig): (state: PairingState) => number {
  return (state) => {
    if (state === 'proving') return 10 * 60_000;
    return state === 'approved' ? config.pairing.confirmWithinMs : 24 * 3_600_000;
  };
}

/** Wires the daemon. Each thing is made once, when it is first asked for. */
export function daemonContainer(opened: Opened): DependencyContainer {
  const container = rootContainer.createChildContainer();
  for (const name of Object.keys(opened) as (keyof Opened)[]) {
    container.registerInstance<unknown>(tokens[name] as InjectionToken<unknown>, opened[name]);
  }
  const make = <T>(key: InjectionToken<T>, factory: (get: <D>(of: InjectionToken<D>) => D) => T): void => {
    container.register(key, {
      useFactory: instanceCachingFactory((from) => factory((of) => from.resolve(of))),
    });
  };

  make(tokens.live, () => new LiveDispatches());
  make(tokens.feeds, (get) => {
    const { deadlines } = get(tokens.kernel);
    return new DispatchFeeds({ live: get(tokens.live), store: get(tokens.store), deadlines });
  });
  make(tokens.recorder, (get) => {
    const { deadlines } = get(tokens.kernel);
    return new DispatchRecorder({ store: get(tokens.store), deadlines, failed: get(tokens.storeFailed) });
  });
  make(tokens.sessions, (get) => {
    const config = get(tokens.config);
    const live = get(tokens.live);
    return new Sessions({
      ...get(tokens.kernel),
      devices: get(tokens.devices),
      surface: get(tokens.surface),
      heartbeatMs: config.session.heartbeatMs,
      heartbeatMaxMs: config.session.heartbeatMaxMs,
      window: config.dispatch.inFlightPerNode,
      // Of a descriptor that nobody knows any more the node knows none either: it refuses it.
      concurrencyOf: ({ descriptorDigest }) =>
        get(tokens.catalog).get(descriptorDigest)?.descriptor.concurrency ?? 1,
      capabilityOf: (dispatchId) => live.get(dispatchId)?.capability,
      certificateUsed: () => sendToAuthority(get(tokens.kernel).directory, { type: 'device.moved' }),
      unfinished: (deviceId) => live.idsOf(deviceId),
      deviceOf: (dispatchId) => live.get(dispatchId)?.deviceId,
      progress: (deviceId, progress) => get(tokens.feeds).take(deviceId, progress),
      late: (deviceId, result) => get(tokens.dispatches).late(deviceId, result),
      announced: (deviceId, open) => get(tokens.surfaces).announced(deviceId, open),
    });
  });
  make(tokens.admission, (get) => {
    const { dispatch } = get(tokens.config);
    return {
      clock: get(tokens.kernel).clock,
      devices: get(tokens.devices),
      surface: get(tokens.surface),
      catalog: get(tokens.catalog),
      live: get(tokens.live),
      sessions: get(tokens.sessions),
      limits: {
        input: dispatch.inputLimit,
        perNode: dispatch.queuePerNode,
        bytesPerNode: dispatch.queueBytesPerNode,
      },
    };
  });
  make(tokens.dispatches, (get) => {
    const admission = get(tokens.admission);
    return new Dispatches({
      ...get(tokens.kernel),
      ...admission,
      sessions: get(tokens.sessions),
      store: get(tokens.store),
      recorder: get(tokens.recorder),
      limits: { ...admission.limits, output: get(tokens.config).dispatch.outputLimit },
      endedOfFanout: (id, record) => get(tokens.fanouts).dispatchEnded(id, record),
    });
  });
  make(tokens.fanoutRecorder, (get) => {
    const { deadlines } = get(tokens.kernel);
    const recorded = { kind: 'fanout', label: 'fan-outs', ownerOf: () => '' };
    return new Recorder<FanoutRecord>(recorded, {
      store: get(tokens.store),
      deadlines,
      failed: get(tokens.storeFailed),
    });
  });
  make(
    tokens.fanouts,
    (get) =>
      new Fanouts({
        ...get(tokens.kernel),
        store: get(tokens.store),
        admission: get(tokens.admission),
        recorder: get(tokens.fanoutRecorder),
        dispatches: get(tokens.dispatches),
      }),
  );
  make(tokens.surfaces, (get) => {
    const { clock, log } = get(tokens.kernel);
    return new Surfaces({
      clock,
      log,
      devices: get(tokens.devices),
      compiled: get(tokens.surface),
      offers: get(tokens.offers),
      reviewer: get(tokens.reviewer),
      pin: get(tokens.config).plugins.pin,
      changed: (deviceId) => {
        const sessions = get(tokens.sessions);
        if (deviceId === undefined) sessions.tellSurfaces();
        else sessions.tellSurface(deviceId);
        get(tokens.dispatches).released(deviceId);
      },
      revoked: (deviceId, capability, { caller, reason }) =>
        get(tokens.dispatches).withdrawn(deviceId, capability, caller, reason),
    });
  });
  make(tokens.nonces, (get) => new Nonces(get(tokens.kernel).clock));
  make(
    tokens.renewals,
    (get) =>
      new Renewals({
        devices: get(tokens.devices),
        authority: get(tokens.authorities),
        nonces: get(tokens.nonces),
        clock: get(tokens.kernel).clock,
        advertised: get(tokens.advertised),
      }),
  );
  make(tokens.enrolment, (get) => {
    const { clock, deadlines } = get(tokens.kernel);
    return new Enrolment({
      pairings: get(tokens.pairings),
      codes: get(tokens.codes),
      attempts: new Attempts(deadlines, clock),
      nonces: get(tokens.nonces),
      devices: get(tokens.devices),
      authority: get(tokens.authorities),
      clock,
      lifetime: pairingLifetime(get(tokens.config)),
    });
  });
  make(tokens.returns, (get) => {
    const config = get(tokens.config);
    return new Returns({
      pairings: get(tokens.pairings),
      devices: get(tokens.devices),
      authority: get(tokens.authorities),
      nonces: get(tokens.nonces),
      clock: get(tokens.kernel).clock,
      policy: { mode: config.pairing.return, maxAgeMs: config.pairing.returnMaxAgeMs },
      lifetime: pairingLifetime(config),
    });
  });
  make(
    tokens.retention,
    (get) =>
      new DispatchRetention({
        ...get(tokens.kernel),
        store: get(tokens.store),
        live: get(tokens.live),
        isLookedFor: (head) => get(tokens.fanouts).mayLookFor(head),
      }),
  );
  make(tokens.pruning, (get) => {
    const { clock, deadlines, log } = get(tokens.kernel);
    const { retentionMs: ageMs, retentionCount: count } = get(tokens.config).dispatch;
    return {
      clock,
      deadlines,
      rule: { ageMs, count },
      sweep: (rule, progress, dryRun) => get(tokens.retention).sweep(rule, progress, dryRun),
      swept: (pruned, by) => {
        if (pruned === 0) return;
        if (by === undefined) log.info({ pruned }, 'Deleted dispatches that ended long ago');
        else log.info({ pruned, by }, 'Deleted dispatches as ordered');
      },
      failed: (err) => log.warn({ err }, 'Old dispatches could not be deleted'),
    };
  });
  make(tokens.control, (get) => ({
    pruning: new PruningControl(get(tokens.kernel).directory),
    plugins: get(tokens.plugins),
    authority: new AuthoritiesControl({
      records: get(tokens.authorityRecords),
      devices: get(tokens.devices),
      directory: get(tokens.kernel).directory,
      clock: get(tokens.kernel).clock,
      overlapMs: get(tokens.config).certificates.caOverlapMs,
      factsOf: get(tokens.factsOfCa),
    }),
    codes: new CodesControl({
      codes: get(tokens.codes),
      pairings: get(tokens.pairings),
      caFingerprint: () => get(tokens.authorities).issuing.fingerprint,
      defaultTtlMs: get(tokens.config).pairing.defaultTtlMs,
      enrollmentAddresses: () => get(tokens.advertised).enrollment(),
    }),
    pairings: new PairingsControl({
      pairings: get(tokens.pairings),
      codes: get(tokens.codes),
      devices: get(tokens.devices),
    }),
    inventory: new Inventory({
      devices: get(tokens.devices),
      pairings: get(tokens.pairings),
      sessions: get(tokens.sessions),
      surface: get(tokens.surface),
      live: get(tokens.live),
      clock: get(tokens.kernel).clock,
    }),
    explanations: new Explanations({
      ...get(tokens.kernel),
      store: get(tokens.store),
      devices: get(tokens.devices),
      sessions: get(tokens.sessions),
      dispatches: get(tokens.dispatches),
      fanouts: get(tokens.fanouts),
      feeds: get(tokens.feeds),
      live: get(tokens.live),
      pairings: get(tokens.pairings),
      surface: get(tokens.surface),
    }),
    devices: new DevicesControl({
      devices: get(tokens.devices),
      sessions: get(tokens.sessions),
      clock: get(tokens.kernel).clock,
    }),
    surfaces: new SurfacesControl({
      surfaces: get(tokens.surfaces),
      compiled: get(tokens.surface),
      devices: get(tokens.devices),
      pin: get(tokens.config).plugins.pin,
    }),
    dispatches: get(tokens.dispatches),
    feeds: get(tokens.feeds),
    fanouts: get(tokens.fanouts),
  }));
  return container;
}
