import { createActor } from 'xstate';
import { sendToUplink } from '../../src/actors/addresses.js';
import { withPending } from '../../src/actors/device/certificates.js';
import type { Devices } from '../../src/actors/device/devices.js';
import type { DeviceRecord } from '../../src/actors/device/record.js';
import type { Dispatches } from '../../src/actors/dispatch/dispatches.js';
import type { LiveDispatches } from '../../src/actors/dispatch/live.js';
import type { DispatchRecord } from '../../src/actors/dispatch/record.js';
import { nodeError } from '../../src/actors/errors.js';
import type { ExecutionHost } from '../../src/actors/execution/executions.js';
import type { DaemonFrame, DispatchOrder, NodeFrame } from '../../src/actors/link/frames.js';
import { permission } from '../../src/actors/mediation/permission.js';
import { eachStored, fromStored, toOperation } from '../../src/actors/records.js';
import type { NodePeer } from '../../src/actors/session/sessions.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { toAppError } from '../../src/kernel/errors.js';
import { createKernel } from '../../src/kernel/kernel.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { modelDaemon } from '../../src/testing/memory-daemon.js';
import { type MemoryNode, startMemoryNode, wireLine } from '../../src/testing/memory-node.js';
import { MemoryRevocations } from '../../src/testing/memory-revocations.js';
import { clockOf, type Life, ProcessStore, turns } from '../../src/testing/process-life.js';
import type { DaemonEnd, Wire } from '../../src/testing/wire.js';
import { DispatchRules } from './dispatch-rules.js';
import { announced, type Capability, catalog, deviceId, labDevice } from './lab.js';

const operator = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
const silent = { debug() {}, info() {}, warn() {}, error() {} };
/** Whether a frame carries orders, results or what is said of them; those that open and end a stream come once. */
function isAboutWork(frame: NodeFrame | DaemonFrame): boolean {
  return !['hello', 'welcome', 'ready', 'goodbye'].some((part) => part in frame);
}

interface RunningHandler {
  readonly order: DispatchOrder;
  finish(succeeds: boolean): void;
}

interface Daemon extends DaemonEnd {
  readonly devices: Devices;
  readonly dispatches: Dispatches;
  readonly live: LiveDispatches;
  ready: boolean;
  stop(): void;
}

interface Node extends MemoryNode {
  readonly handlers: Set<RunningHandler>;
  readonly questions: Set<(allowed: boolean) => void>;
}

/**
 * A daemon and one node, with their real actors, stores that survive, and a connection that moves only when told to.
 * What must never happen is noted in `violations` when it does.
 */
export class World {
  readonly clock = new SimulatedClock();
  readonly #rules = new DispatchRules();
  readonly violations = this.#rules.violations;
  /** Ids that a caller was told are accepted. */
  readonly accepted = new Set<string>();
  /** Why callers were refused. */
  readonly refused: string[] = [];
  /** How often the node said that it was connected when the daemon had no session with it. */
  falselyConnected = 0;
  /** How often the handler of each dispatch was started. */
  readonly starts = this.#rules.starts;
  readonly #daemonDisk = new MemoryStore();
  #nodeDisk = new MemoryStore();
  #lostDisks = 0;
  /** The node as TLS would prove it: with the certificate that it has now. */
  #peer: NodePeer;
  #certificates = 1;
  #isRenewing = false;
  #daemon: Daemon | undefined;
  #node: Node | undefined;
  #wires: Wire[] = [];

  private constructor() {
    const certificateEnds = this.clock.now() + 365 * 86_400_000;
    this.#peer = { deviceId, fingerprint: 'f1', certificateEnds, address: '192.0.2.1' };
  }

  static async start(): Promise<World> {
    const world = new World();
    await world.#daemonDisk.commit([
      toOperation('device', deviceId, labDevice(world.#peer, world.clock.now())),
    ]);
    await world.startDaemon();
    await world.startNode();
    return world;
  }

  // Commands

  create(capability: Capability, wait: boolean, queue: boolean, timeoutMs: number): void {
    const request = {
      node: 'lab',
      capability,
      input: {},
      wait,
      queue,
      timeoutMs,
      keyIfNeeded: `k${Math.random()}`,
    };
    this.#daemon?.dispatches.create(operator, request).then(
      (record) => this.accepted.add(record.id),
      (error: unknown) => this.refused.push(toAppError(error).code),
    );
  }

  /** Cancels one of the dispatches that the daemon knows to be unfinished. */
  cancel(choice: number): void {
    const ids = [...(this.#daemon?.live.all() ?? [])].map((record) => record.id);
    const id = ids[choice % Math.max(1, ids.length)];
    if (id !== undefined) this.#daemon?.dispatches.cancel(operator, id, 'test').catch(() => undefined);
  }

  /** Ends one of the running handlers. */
  finish(choice: number, succeeds: boolean): void {
    const running = [...(this.#node?.handlers ?? [])];
    running[choice % Math.max(1, running.length)]?.finish(succeeds);
  }

  /** Answers one of the questions that the person at the node is asked. */
  answer(choice: number, allowed: boolean): void {
    const asked = [...(this.#node?.questions ?? [])];
    asked[choice % Math.max(1, asked.length)]?.(allowed);
  }

  /** Moves frames, alternating; what they cause runs in between. */
  async pump(up: number, down: number, between: number): Promise<void> {
    await this.#move(() => this.#wires, up, down, between);
  }

  /** Moves frames of the newest connection only: what is on its way in those before comes later. */
  async overtake(up: number, down: number): Promise<void> {
    await this.#move(() => this.#wires.slice(-1), up, down, 1);
  }

  /** Delivers once more what came last on each connection, if it was about dispatches. */
  async duplicate(): Promise<void> {
    for (const wire of [...this.#wires]) wire.repeat(isAboutWork);
    await turns(1);
  }

  /** The node gets a new certificate from the daemon, and is to move its line to it. */
  renew(): void {
    const daemon = this.#daemon;
    if (!daemon?.ready || this.#isRenewing) return;
    this.#isRenewing = true;
    this.#certificates += 1;
    const { fingerprint: shown, certificateEnds: notAfter } = this.#peer;
    const fingerprint = `f${this.#certificates}`;
    const now = this.clock.now();
    const issued = { pem: '', fingerprint, issuer: 'ca', serial: '1', notBefore: now, notAfter };
    daemon.devices
      .update(
        deviceId,
        ({ certificates }) => ({ certificates: withPending(certificates, issued, fingerprint, shown, now) }),
        now,
      )
      .then(
        () => {
          this.#isRenewing = false;
          this.#peer = { ...this.#peer, fingerprint };
          if (this.#node) sendToUplink(this.#node.kernel.directory, { type: 'certificate.changed' });
        },
        (error: unknown) => this.violations.push(`no certificate: ${String(error)}`),
      );
  }

  /** The node gives its connections up, and what it said on them is still on its way. */
  forsake(): void {
    for (const wire of this.#wires) wire.forsake();
  }

  cut(daemonKnows: boolean, nodeKnows: boolean): void {
    for (const wire of this.#wires) wire.cut(daemonKnows, nodeKnows);
  }

  async restartDaemon(pause: number): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    // Its answer is lost.
    this.#isRenewing = false;
    if (daemon) {
      daemon.life.dead = true;
      daemon.stop();
      for (const wire of this.#wires) wire.cut(false, true);
    }
    // What had begun on the disk ends before another process takes it.
    await turns(2 + pause);
    await this.startDaemon();
  }

  async restartNode(pause: number, daemonKnows: boolean): Promise<void> {
    const node = this.#node;
    this.#node = undefined;
    if (node) {
      node.life.dead = true;
      node.stop();
      for (const wire of this.#wires) wire.cut(daemonKnows, false);
    }
    // What had begun on the disk ends before another process takes it.
    await turns(2 + pause);
    await this.startNode();
  }

  /** The node comes back with nothing on its disk but its keys. The daemon has seen the old stream end. */
  async loseNodeDisk(): Promise<void> {
    this.#lostDisks += 1;
    this.#nodeDisk = new MemoryStore();
    await this.restartNode(0, true);
  }

  /** Stops faults, and gives everything the time that it may take. Returns whether all that is left is at rest. */
  async stabilise(): Promise<boolean> {
    for (let round = 0; round < 120; round++) {
      await this.pump(3, 3, 3);
      for (const answer of [...(this.#node?.questions ?? [])]) answer(true);
      for (const handler of [...(this.#node?.handlers ?? [])]) handler.finish(true);
      await turns(3);
      this.clock.advance(round < 20 ? 20 : 1_000);
      await turns(2);
      if (round > 20 && (await this.#isAtRest())) return true;
    }
    return false;
  }

  /** What is not at rest, for the report of a failure. */
  describe(): string {
    const unfinished = [...(this.#daemon?.live.all() ?? [])].map(
      ({ id, capability, state, steps, sentInEpoch, cancelRequestedBy }) =>
        `${capability} ${id.slice(-6)} ${state} sent in ${sentInEpoch}${cancelRequestedBy ? ' cancel wanted' : ''}: ${steps.map((step) => step.to).join(' ')}`,
    );
    const atNode = (this.#node?.executions.inFlight() ?? []).map(
      ({ dispatchId, phase }) => `${dispatchId.slice(-6)} ${phase}`,
    );
    return [...this.violations, ...unfinished, `node: ${atNode.join(', ')}`].join('\n');
  }

  /** Every dispatch as the daemon's disk has it. */
  async records(): Promise<readonly DispatchRecord[]> {
    const records: DispatchRecord[] = [];
    for await (const stored of eachStored(this.#daemonDisk, 'dispatch')) records.push(fromStored(stored));
    return records;
  }

  /** The certificate that the node's line is to use. */
  get fingerprint(): string {
    return this.#peer.fingerprint;
  }

  /** The certificates of the node as the daemon's disk has them. */
  async certificates(): Promise<readonly string[]> {
    const stored = await this.#daemonDisk.get('device', deviceId);
    return stored ? fromStored<DeviceRecord>(stored).certificates.map(({ fingerprint }) => fingerprint) : [];
  }

  /** Alarms about the node for which there was no ground. */
  async falseAlarms(): Promise<number> {
    const stored = await this.#daemonDisk.get('device', deviceId);
    if (!stored || this.#lostDisks > 0) return 0;
    return fromStored<DeviceRecord>(stored).alerts.length;
  }

  stop(): void {
    for (const process of [this.#daemon, this.#node]) {
      if (!process) continue;
      process.life.dead = true;
      process.stop();
    }
  }

  async #move(wires: () => readonly Wire[], up: number, down: number, between: number): Promise<void> {
    for (let i = 0; i < Math.max(up, down); i++) {
      for (const wire of [...wires()]) {
        if (i < up) wire.deliverUp();
        if (i < down) wire.deliverDown();
      }
      await turns(between);
    }
    this.#wires = this.#wires.filter((wire) => !wire.isOver);
  }

  async #isAtRest(): Promise<boolean> {
    if (!this.#daemon?.ready || this.#daemon.live.size > 0) return false;
    if ((this.#node?.executions.inFlight().length ?? 1) > 0) return false;
    const journal = await this.#nodeDisk.list({ kind: 'execution' });
    return journal.records.length === 0;
  }

  // The processes

  async startDaemon(): Promise<void> {
    const life: Life = { dead: false };
    const store = new ProcessStore(life, this.#daemonDisk, (operations) => this.#rules.check(operations));
    const { kernel, devices, sessions, dispatches, live, tree } = await modelDaemon({
      clock: clockOf(life, this.clock),
      store,
      revocations: new MemoryRevocations(),
      catalog,
      config: (defaults) => ({
        ...defaults,
        plugins: { ...defaults.plugins, enabled: ['lab'] },
        dispatch: {
          ...defaults.dispatch,
          inputLimit: 1_000,
          outputLimit: 1_000,
          queuePerNode: 100,
          inFlightPerNode: 2,
        },
      }),
      storeFailed: (error) => this.violations.push(`the daemon's store failed: ${String(error)}`),
    });
    const daemon: Daemon = {
      life,
      kernel,
      devices,
      sessions,
      dispatches,
      live,
      ready: false,
      stop: () => root.stop(),
    };
    const recovered = (): void => {
      daemon.ready = true;
    };
    const root = createActor(tree(recovered));
    root.start();
    this.#daemon = daemon;
    while (!daemon.ready) await turns(1);
  }

  async startNode(): Promise<void> {
    const life: Life = { dead: false };
    const failed = (error: unknown): void => {
      this.violations.push(`the node's store failed: ${String(error)}`);
    };
    const log = { ...silent, error: failed };
    const kernel = createKernel({ clock: clockOf(life, this.clock), log, random: () => 0.5 });
    const handlers = new Set<RunningHandler>();
    const questions = new Set<(allowed: boolean) => void>();
    const node = await startMemoryNode({
      life,
      kernel,
      store: new ProcessStore(life, this.#nodeDisk),
      plugins: {
        announced: () => announced,
        revision: 0,
        given: async () => undefined,
        lineStands: () => undefined,
      },
      host: this.#host(life, handlers, questions),
      mediations: { abandon: () => undefined },
      line: wireLine({
        life,
        kernel,
        peer: () => this.#peer,
        daemon: () => (this.#daemon?.ready ? this.#daemon : undefined),
        opened: (wire) => this.#wires.push(wire),
      }),
      storeFailed: failed,
      report: (report) => {
        if (report.event === 'connected' && !this.#daemon?.sessions.live(deviceId))
          this.falselyConnected += 1;
        if (report.event === 'refused') this.violations.push(`the node was refused: ${report.error.message}`);
      },
    });
    this.#node = { ...node, handlers, questions };
  }

  #host(
    life: Life,
    handlers: Set<RunningHandler>,
    questions: Set<(allowed: boolean) => void>,
  ): ExecutionHost {
    return {
      refusal: () => undefined,
      needsMediation: (order) => order.mediationTimeoutMs > 0,
      mediate: (order, _limitMs, signal, asker) => {
        const settle = (allowed: boolean): void => {
          if (!questions.delete(settle) || life.dead) return;
          const { dispatchId, descriptorDigest } = order;
          const facts = { dispatchId, descriptorDigest, build: '', by: 'person' } as const;
          asker.decided(allowed ? { kind: 'allowed', permission: permission(facts) } : { kind: 'denied' });
        };
        questions.add(settle);
        asker.waits();
        signal.addEventListener('abort', () => questions.delete(settle));
      },
      run: (order, signal) => {
        this.#rules.noteStart(order);
        return new Promise((resolve, reject) => {
          const handler: RunningHandler = {
            order,
            finish: (succeeds) => {
              if (!handlers.delete(handler)) return;
              if (succeeds) resolve(Buffer.from('{}'));
              else reject(nodeError('refused', 'The handler failed'));
            },
          };
          handlers.add(handler);
          signal.addEventListener('abort', () => handler.finish(false));
        });
      },
    };
  }
}
