import type { InjectionToken } from 'tsyringe';
import type { AuthorityRecords } from '../actors/authority/authority-records.js';
import type { CaFacts } from '../actors/authority/control.js';
import type { DeviceAuthority } from '../actors/authority/device-authority.js';
import type { Control } from '../actors/control.js';
import type { Devices } from '../actors/device/devices.js';
import type { Renewals } from '../actors/device/renewals.js';
import type { CompiledSurface } from '../actors/device/surface.js';
import type { AdmissionOptions } from '../actors/dispatch/admission.js';
import type { Dispatches } from '../actors/dispatch/dispatches.js';
import type { DispatchFeeds } from '../actors/dispatch/feeds.js';
import type { LiveDispatches } from '../actors/dispatch/live.js';
import type { DispatchRecorder } from '../actors/dispatch/recorder.js';
import type { DispatchRetention } from '../actors/dispatch/retention.js';
import type { Fanouts } from '../actors/fanout/fanouts.js';
import type { FanoutRecord } from '../actors/fanout/record.js';
import type { PairingCodes } from '../actors/pairing/codes.js';
import type { Enrolment } from '../actors/pairing/enrolment.js';
import type { Nonces } from '../actors/pairing/nonces.js';
import type { Pairings } from '../actors/pairing/pairings.js';
import type { Returns } from '../actors/pairing/returns.js';
import type { PluginControl } from '../actors/plugin-control.js';
import type { PruningPorts } from '../actors/pruning/behaviour.js';
import type { Recorder } from '../actors/recorder.js';
import type { Sessions } from '../actors/session/sessions.js';
import type { Offers } from '../actors/surface/offers.js';
import type { Surfaces } from '../actors/surface/surfaces.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Store } from '../kernel/store.js';
import type { Catalog } from '../plugins/catalog.js';
import type { DescriptorReviewer } from '../plugins/review/reviewer.js';
import type { DaemonConfig } from './config/daemon-config.js';

/** A key of the container that carries the type of what it stands for. */
function token<T>(name: string): InjectionToken<T> {
  return Symbol.for(`palyra.daemon.${name}`);
}

/** Everything that the daemon is made of, by name. The first group is opened before the container; the rest is made in it. */
export const tokens = {
  kernel: token<Kernel>('kernel'),
  config: token<DaemonConfig>('config'),
  store: token<Store>('store'),
  authorities: token<IssuingAuthority>('authorities'),
  authorityRecords: token<AuthorityRecords>('authorityRecords'),
  factsOfCa: token<(fingerprint: string) => CaFacts | undefined>('factsOfCa'),
  catalog: token<Catalog>('catalog'),
  plugins: token<PluginControl>('plugins'),
  surface: token<CompiledSurface>('surface'),
  offers: token<Offers>('offers'),
  reviewer: token<DescriptorReviewer>('reviewer'),
  devices: token<Devices>('devices'),
  codes: token<PairingCodes>('codes'),
  pairings: token<Pairings>('pairings'),
  advertised: token<Advertised>('advertised'),
  storeFailed: token<(error: unknown) => void>('storeFailed'),

  live: token<LiveDispatches>('live'),
  feeds: token<DispatchFeeds>('feeds'),
  recorder: token<DispatchRecorder>('recorder'),
  sessions: token<Sessions>('sessions'),
  admission: token<AdmissionOptions>('admission'),
  dispatches: token<Dispatches>('dispatches'),
  fanoutRecorder: token<Recorder<FanoutRecord>>('fanoutRecorder'),
  fanouts: token<Fanouts>('fanouts'),
  surfaces: token<Surfaces>('surfaces'),
  nonces: token<Nonces>('nonces'),
  enrolment: token<Enrolment>('enrolment'),
  returns: token<Returns>('returns'),
  renewals: token<Renewals>('renewals'),
  retention: token<DispatchRetention>('retention'),
  pruning: token<PruningPorts>('pruning'),
  control: token<Control>('control'),
} as const;

/** Where others reach the daemon: known when the ports are bound. */
export interface Advertised {
  enrollment(): readonly string[];
  node(): readonly string[];
}

/** The CAs as the rest of the daemon needs them. */
export interface IssuingAuthority extends DeviceAuthority {
  /** The one that issues: join strings pin it. */
  readonly issuing: { readonly fingerprint: string };
}
