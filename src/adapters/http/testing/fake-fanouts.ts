import type {
  CreateFanout,
  FanoutControl,
  FanoutPlan,
  FanoutSince,
  FanoutView,
  PlanFanout,
} from '../../../actors/fanout/view.js';
import type { VerifiedCaller } from '../../../kernel/authority.js';
import type { Note } from './control-call.js';
import { sampleDeviceId, sampleId, sampleTime } from './samples.js';

/** A fan-out of one target that succeeded. */
export function sampleFanout(given: Partial<FanoutView> = {}): FanoutView {
  return {
    id: sampleId('fo'),
    version: 1,
    state: 'succeeded',
    revision: 4,
    selector: 'role=edge',
    capability: 'echo',
    caller: 'operator:local',
    labels: {},
    queue: false,
    batch: 1,
    members: [
      {
        deviceId: sampleDeviceId(),
        name: 'build-7',
        state: 'succeeded',
        dispatchId: sampleId('dp'),
        durationMs: 12,
        revision: 3,
      },
    ],
    counts: { succeeded: 1 },
    createdAt: sampleTime,
    updatedAt: sampleTime + 12,
    finishedAt: sampleTime + 12,
    steps: [{ at: sampleTime, to: 'running', event: 'create', by: 'operator:local' }],
    ...given,
  };
}

export function samplePlan(given: Partial<FanoutPlan> = {}): FanoutPlan {
  return {
    capability: 'echo',
    matched: 1,
    targets: [{ deviceId: sampleDeviceId(), name: 'build-7', presence: 'online', verdict: 'run' }],
    targetsDigest: 'ab'.repeat(32),
    ...given,
  };
}

/** Fan-outs of canned answers. */
export class FakeFanouts implements FanoutControl {
  readonly #note: Note;
  onPlan: (request: PlanFanout) => FanoutPlan = () => samplePlan();
  onCreate: (request: CreateFanout) => FanoutView = () => sampleFanout({ state: 'running', members: [] });
  onGet: (id: string, since: FanoutSince) => FanoutView | Promise<FanoutView> = (id) => sampleFanout({ id });
  onCancel: (id: string) => FanoutView = (id) => sampleFanout({ id, state: 'cancelling' });

  constructor(note: Note) {
    this.#note = note;
  }

  async plan(caller: VerifiedCaller, request: PlanFanout): Promise<FanoutPlan> {
    this.#note('planFanout', caller, request);
    return this.onPlan(request);
  }

  async create(caller: VerifiedCaller, request: CreateFanout): Promise<FanoutView> {
    this.#note('createFanout', caller, request);
    return this.onCreate(request);
  }

  async get(caller: VerifiedCaller, id: string, since: FanoutSince = {}): Promise<FanoutView> {
    this.#note('getFanout', caller, { id, ...since });
    return this.onGet(id, since);
  }

  async list(caller: VerifiedCaller, filter: object) {
    this.#note('listFanouts', caller, filter);
    return { fanouts: [sampleFanout({ members: [] })] };
  }

  async cancel(caller: VerifiedCaller, id: string, reason: string): Promise<FanoutView> {
    this.#note('cancelFanout', caller, { id, reason });
    return this.onCancel(id);
  }
}
