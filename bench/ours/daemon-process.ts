/**
 * The daemon with its driver in the same process. The driver enters where the HTTP route hands over: at
 * `control.dispatches.create`, with a caller that waits for the result. Everything behind it is the product with its
 * defaults: validation, one actor per dispatch, SQLite, the node port with mTLS.
 */
import { join } from 'node:path';
import type { PairingView } from '../../src/actors/pairing/view.js';
import { jsonLog } from '../../src/adapters/telemetry/log.js';
import { readConfig } from '../../src/daemon/config/daemon-config.js';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { type Call, type Latency, measureLatency, measureRate } from '../measure.js';
import { payload } from '../payload.js';
import { ReportingProcess } from '../reporting-process.js';
import { serveRole } from '../role.js';
import { until } from '../until.js';

export type DaemonAsks = {
  start(body: { readonly directory: string }): Promise<void>;
  /** Starts a node host as a child process and pairs it. Returns its device id. */
  addNode(body: {
    readonly palyra: string;
    readonly directory: string;
    readonly nodeOptions: readonly string[];
  }): Promise<string>;
  /** Join strings for simulated nodes. */
  mint(body: { readonly count: number }): Promise<readonly string[]>;
  /** Approves every pairing that waits; returns how many there were. */
  approvePending(): Promise<number>;
  /** Waits until `count` nodes are online and offer `echo`; returns their device ids. */
  online(body: { readonly count: number }): Promise<readonly string[]>;
  latency(body: { readonly nodes: readonly string[]; readonly samples: number }): Promise<Latency>;
  /** Spreads the dispatches over the nodes in turn. */
  rate(body: {
    readonly nodes: readonly string[];
    readonly inFlight: number;
    readonly durationMs: number;
  }): Promise<number>;
};

const operator = verifiedCaller({ kind: 'operator', name: 'bench', role: 'admin' });
let daemon: Daemon | undefined;
let node: ReportingProcess | undefined;
process.once('exit', () => node?.kill());

function running(): Daemon {
  if (!daemon) throw new Error('The daemon is not started');
  return daemon;
}

async function start(directory: string): Promise<void> {
  const flags = { httpPort: '0', enrollPort: '0', nodePort: '0' };
  // No variables and no file: what is measured are the defaults.
  const reading = readConfig({ env: {}, flags });
  const log = jsonLog(reading.config.log.level);
  daemon = await startDaemon({
    reading,
    reread: () => reading,
    stateDirectory: join(directory, 'daemon'),
    log,
  });
}

async function mint(): Promise<string> {
  const { joinString } = await running().control.codes.mintJoin(operator, {});
  return joinString;
}

async function approve({ id, transcript }: PairingView): Promise<void> {
  await running().control.pairings.approve(operator, id, { transcript });
}

async function approvePending(): Promise<number> {
  const { pairings: waiting } = await running().control.pairings.list(operator, {
    states: ['pending_approval'],
    limit: 1_000,
  });
  await Promise.all(waiting.map(approve));
  return waiting.length;
}

async function online(count: number): Promise<readonly string[]> {
  return until(`${count} nodes online`, 30_000, async () => {
    const devices = await running().control.inventory.list(operator);
    const ready = devices.filter(
      ({ presence, capabilities }) =>
        presence === 'online' &&
        capabilities.some(({ capability, status }) => capability === 'echo' && status === 'available'),
    );
    return ready.length >= count ? ready.map(({ deviceId }) => deviceId) : undefined;
  });
}

/** One dispatch from the hand-over by the HTTP route to its result. */
function dispatchTo(nodes: readonly string[]): Call {
  const { dispatches } = running().control;
  let turn = 0;
  return (done) => {
    const target = nodes[turn++ % nodes.length] ?? '';
    dispatches
      .create(operator, { node: target, capability: 'echo', input: payload, wait: true })
      .then(
        ({ id, state, outcome }) =>
          state === 'succeeded'
            ? done()
            : done(new Error(`Dispatch ${id} is ${state}: ${JSON.stringify(outcome)}`)),
        done,
      );
  };
}

serveRole<DaemonAsks>(
  {
    start: async ({ directory }) => start(directory),
    addNode: async ({ palyra, directory, nodeOptions }) => {
      const state = join(directory, 'node');
      node = new ReportingProcess({
        program: [palyra, 'node', 'run', await mint(), '--json', '--state-dir', state],
        output: join(directory, 'node.ndjson'),
        nodeOptions,
      });
      const { pairingId } = await node.reported('pending_approval');
      await approve(await running().control.pairings.get(operator, String(pairingId)));
      const [deviceId = ''] = await online(1);
      return deviceId;
    },
    mint: async ({ count }) => Promise.all(Array.from({ length: count }, mint)),
    approvePending,
    online: async ({ count }) => online(count),
    latency: ({ nodes, samples }) => measureLatency(dispatchTo(nodes), samples),
    rate: ({ nodes, inFlight, durationMs }) => measureRate(dispatchTo(nodes), inFlight, durationMs),
  },
  async () => {
    await node?.stop();
    await daemon?.stop('The benchmark has ended');
  },
);
