import type { AuthorityControl, AuthorityView } from '../../../actors/authority/view.js';
import type { Control } from '../../../actors/control.js';
import type { InventoryControl, InventoryEntry } from '../../../actors/device/inventory-view.js';
import { isShown } from '../../../actors/device/trust.js';
import type { DecideDevice, DeviceControl, DeviceView } from '../../../actors/device/view.js';
import type { DispatchRecord } from '../../../actors/dispatch/record.js';
import type {
  CreateDispatch,
  DispatchControl,
  DispatchFeedControl,
  DispatchForecast,
  DispatchHappening,
  RetryDispatch,
} from '../../../actors/dispatch/view.js';
import { deviceError, dispatchError, pluginsError, surfaceError } from '../../../actors/errors.js';
import type { ExplainControl, ExplanationView } from '../../../actors/explanation-view.js';
import type { PluginControl, PluginView } from '../../../actors/plugin-control.js';
import type { PruneControl, PruneJob } from '../../../actors/pruning/view.js';
import type { GrantRecord } from '../../../actors/surface/grants.js';
import type { SurfaceControl, SurfaceView } from '../../../actors/surface/view.js';
import type { VerifiedCaller } from '../../../kernel/authority.js';
import type { ControlCall } from './control-call.js';
import { FakeFanouts } from './fake-fanouts.js';
import { FakePairing } from './fake-pairing.js';
import {
  sampleAuthority,
  sampleDevice,
  sampleDispatch,
  sampleEntry,
  sampleExplanation,
  sampleGrant,
  sampleId,
  samplePlugin,
  samplePruneJob,
  sampleSurface,
} from './samples.js';

/** A daemon of canned answers behind the operations of the control plane; it notes what was asked of it. */
export class FakeControl implements Control {
  readonly calls: ControlCall[] = [];
  entries: InventoryEntry[] = [sampleEntry()];
  enrolled: DeviceView[] = [sampleDevice()];
  offered: SurfaceView[] = [sampleSurface()];
  explanation: ExplanationView = sampleExplanation();
  granted: GrantRecord[] = [sampleGrant()];
  installed: PluginView[] = [samplePlugin()];
  cas: AuthorityView = sampleAuthority();
  /** Answers `dispatches.create`. */
  onCreate: (request: CreateDispatch, gone?: AbortSignal) => Promise<DispatchRecord> = async () =>
    sampleDispatch();
  /** Answers `dispatches.cancel`. */
  onCancel: (id: string, reason: string) => Promise<DispatchRecord> = async (id) =>
    sampleDispatch({ id, state: 'running' });
  /** Answers `dispatches.get` in place of what is known. */
  onGet: ((id: string) => Promise<DispatchRecord>) | undefined;
  /** Answers `dispatches.retry`. */
  onRetry: (id: string, request: RetryDispatch) => Promise<DispatchRecord> = async (retryOf) =>
    sampleDispatch({ id: sampleId('dp', 2), retryOf, state: 'dispatched' });
  /** Answers `devices.decide`. */
  onDecide: (id: string, decision: DecideDevice) => Promise<DeviceView> = async (deviceId) =>
    sampleDevice({ deviceId });
  /** What `dispatches.foresee` answers. */
  forecast: DispatchForecast = {
    verdict: 'run',
    dispatch: { ...sampleDispatch(), nodeName: 'build-7' },
    ahead: 2,
  };
  /** What was ordered last; it has ended when it is looked at for the second time. */
  pruneJob: PruneJob | undefined;
  known: DispatchRecord[] = [sampleDispatch()];

  readonly pairing = new FakePairing((operation, caller, request) => this.#note(operation, caller, request));
  readonly codes = this.pairing.codes;
  readonly pairings = this.pairing.pairings;
  readonly fanouts = new FakeFanouts((operation, caller, request) => this.#note(operation, caller, request));

  readonly authority: AuthorityControl = {
    show: async (caller) => {
      this.#note('showAuthority', caller, {});
      return this.cas;
    },
    rotate: async (caller, options) => {
      this.#note('rotateAuthority', caller, options);
      return this.cas;
    },
    forget: async (caller, fingerprint, reason) => {
      this.#note('forgetAuthority', caller, { fingerprint, reason });
      return this.cas;
    },
  };

  readonly inventory: InventoryControl = {
    list: async (caller, filter = {}) => {
      this.#note('inventory', caller, filter);
      return this.entries.filter(({ trust }) => isShown(trust, filter.trust));
    },
  };

  readonly explanations: ExplainControl = {
    explain: async (caller, subject) => {
      this.#note('explain', caller, subject);
      return this.explanation;
    },
  };

  readonly devices: DeviceControl = {
    list: async (caller, filter) => {
      this.#note('listDevices', caller, filter);
      return {
        devices: this.enrolled.filter(({ trust }) => filter.trust?.includes(trust) ?? trust !== 'removed'),
      };
    },
    get: async (caller, id) => {
      this.#note('getDevice', caller, id);
      const found = this.enrolled.find((device) => device.deviceId === id);
      if (found) return found;
      throw deviceError('not_found', `There is no device ${id}`);
    },
    decide: async (caller, id, decision) => {
      this.#note('decideDevice', caller, { id, ...decision });
      return this.onDecide(id, decision);
    },
    decideClone: async (caller, id, decision) => {
      this.#note('decideClone', caller, { id, ...decision });
      return sampleDevice({ deviceId: id });
    },
  };

  readonly surfaces: SurfaceControl = {
    list: async (caller, filter) => {
      this.#note('listSurfaces', caller, filter);
      const { states, deviceId } = filter;
      return {
        surfaces: this.offered.filter(
          (one) =>
            (states?.includes(one.state) ?? true) && (deviceId === undefined || one.deviceId === deviceId),
        ),
      };
    },
    get: async (caller, deviceId, capability) => {
      this.#note('getSurface', caller, { deviceId, capability });
      return this.#offered(deviceId, capability);
    },
    grants: async (caller) => {
      this.#note('grants', caller, {});
      return this.granted;
    },
    grant: async (caller, request) => {
      this.#note('grant', caller, request);
      const { capability, digest, buildDigest = '', labels, reason } = request;
      return sampleGrant({ capability, digest, buildDigest, labels, reason });
    },
    withdraw: async (caller, id, reason) => {
      this.#note('withdraw', caller, { id, reason });
      return sampleGrant({ id, state: 'withdrawn' });
    },
    decide: async (caller, deviceId, capability, decision) => {
      this.#note('decideSurface', caller, { deviceId, capability, ...decision });
      const { action } = decision;
      const state = action === 'approve' ? 'approved' : action === 'reject' ? 'rejected' : 'revoked';
      return { ...this.#offered(deviceId, capability), state };
    },
  };

  readonly plugins: PluginControl = {
    list: async (caller) => {
      this.#note('listPlugins', caller, {});
      return this.installed;
    },
    get: async (caller, plugin) => {
      this.#note('getPlugin', caller, plugin);
      const found = this.installed.filter((one) => one.plugin === plugin);
      if (found.length > 0) return found;
      throw pluginsError('not_found', `The daemon knows no plugin ${plugin}`, { hint: 'See the list.' });
    },
    reload: async (caller) => {
      this.#note('reloadPlugins', caller, {});
      return { plugins: this.installed, restartNeeded: ['/log/level'] };
    },
  };

  /** What happens to a dispatch that is followed. */
  happenings: (signal: AbortSignal) => AsyncIterable<DispatchHappening> = async function* () {
    const at = { steps: 1, epoch: 1, sequence: 0 };
    const record = sampleDispatch();
    for (const step of record.steps.slice(0, 1)) yield { event: 'step', at, step };
    yield { event: 'gap', at: { ...at, sequence: 2 }, missed: 2 };
    yield { event: 'progress', at: { ...at, sequence: 3 }, sequence: 3, value: { done: 0.5 } };
    yield { event: 'end', at: { ...at, steps: record.steps.length }, record };
  };

  readonly feeds: DispatchFeedControl = {
    follow: async (caller, id, { after, signal }) => {
      this.#note('followDispatch', caller, { id, after });
      return this.happenings(signal);
    },
  };

  readonly pruning: PruneControl = {
    prune: async (caller, order) => {
      this.#note('prune', caller, order);
      this.pruneJob = samplePruneJob({ ...order, number: (this.pruneJob?.number ?? 0) + 1 });
      return this.pruneJob;
    },
    pruning: async (caller) => {
      this.#note('pruning', caller, {});
      const job = this.pruneJob;
      if (job)
        this.pruneJob = { ...job, looked: 5_000, matched: 40, pruned: job.dryRun ? 0 : 40, state: 'done' };
      return job;
    },
  };

  readonly dispatches: DispatchControl = {
    create: async (caller, request, gone) => {
      this.#note('createDispatch', caller, request);
      return this.onCreate(request, gone);
    },
    foresee: async (caller, request) => {
      this.#note('foreseeDispatch', caller, request);
      return this.forecast;
    },
    get: async (caller, id, wait) => {
      this.#note('getDispatch', caller, wait ? { id, wait } : id);
      if (this.onGet) return this.onGet(id);
      const found = this.known.find((dispatch) => dispatch.id === id);
      if (found) return found;
      throw dispatchError('not_found', `There is no dispatch ${id}`, { hint: 'It may have been pruned.' });
    },
    list: async (caller, filter) => {
      this.#note('listDispatches', caller, filter);
      const { states, deviceId } = filter;
      const found = this.known.filter(
        (one) =>
          (states?.includes(one.state) ?? true) && (deviceId === undefined || one.deviceId === deviceId),
      );
      return {
        dispatches: found.map(({ input: _input, steps: _steps, ...one }) => ({
          ...one,
          nodeName: 'build-7',
        })),
      };
    },
    retry: async (caller, id, request) => {
      this.#note('retryDispatch', caller, { id, ...request });
      return this.onRetry(id, request);
    },
    cancel: async (caller, id, reason) => {
      this.#note('cancelDispatch', caller, { id, reason });
      return this.onCancel(id, reason);
    },
  };

  #offered(deviceId: string, capability: string): SurfaceView {
    const found = this.offered.find((one) => one.deviceId === deviceId && one.capability === capability);
    if (found) return found;
    throw surfaceError('not_offered', `The node does not offer ${capability}`);
  }

  /** What was asked of one operation, in order. */
  asked(operation: string): readonly unknown[] {
    return this.calls.filter((call) => call.operation === operation).map((call) => call.request);
  }

  #note(operation: string, caller: VerifiedCaller, request: unknown): void {
    this.calls.push({ operation, caller, request });
  }
}
