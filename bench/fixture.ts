import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FloorDaemonAsks } from './floor/floor-daemon.js';
import type { FloorNodeAsks } from './floor/floor-node.js';
import type { LoadAsks } from './load/load-process.js';
import type { DaemonAsks } from './ours/daemon-process.js';
import { Role } from './role.js';

/** Where the programs are. */
export interface Programs {
  /** The built CLI. */
  readonly palyra: string;
  /** The built daemon. */
  readonly palyrad: string;
  /** The folder of the bundled roles. */
  readonly roles: string;
  /** The folder of the plugin `echo` with all that it imports in one file. */
  readonly packedEcho: string;
}

/** The processes that a group of benchmarks is measured with. */
export interface Fixture {
  readonly floor: Role<FloorDaemonAsks>;
  readonly daemon: Role<DaemonAsks>;
  /** Device ids of the nodes that answer. */
  readonly nodes: readonly string[];
  stop(): Promise<void>;
}

export interface FixtureOptions {
  readonly programs: Programs;
  /** For state and logs; it is the caller's to remove. */
  readonly directory: string;
  /** A real node host, or a number of simulated nodes. */
  readonly nodes: 'host' | number;
  /** Where CPU profiles of our processes go. */
  readonly profile?: string;
}

/** Starts floor and daemon, with fresh state, and the nodes. What was started is stopped when a later step fails. */
export async function startFixture(options: FixtureOptions): Promise<Fixture> {
  const { programs, directory, profile } = options;
  await mkdir(directory, { recursive: true });
  const profiling = (name: string): readonly string[] =>
    profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}.cpuprofile`];
  const role = <A>(name: string, nodeOptions: readonly string[] = []): Role<A> => {
    const started = new Role<A>({
      script: join(programs.roles, `${name}.mjs`),
      logFile: join(directory, `${name}.log`),
      nodeOptions,
    });
    roles.unshift(started);
    return started;
  };
  const roles: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const one of roles.splice(0)) await one.stop();
  };
  try {
    const floor = role<FloorDaemonAsks>('floor-daemon');
    const floorNode = role<FloorNodeAsks>('floor-node');
    await floorNode.ask('connect', await floor.ask('listen', undefined));
    await floor.ask('ready', undefined);

    const daemon = role<DaemonAsks>('daemon-process', profiling(`daemon-${options.nodes}`));
    await daemon.ask('start', { directory });
    if (options.nodes === 'host') {
      const { palyra } = programs;
      const deviceId = await daemon.ask('addNode', { palyra, directory, nodeOptions: profiling('node') });
      return { floor, daemon, nodes: [deviceId], stop };
    }
    const load = role<LoadAsks>('load-process', profiling('load'));
    const nodes = await addSimulated(daemon, load, options.nodes);
    return { floor, daemon, nodes, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function addSimulated(
  daemon: Role<DaemonAsks>,
  load: Role<LoadAsks>,
  count: number,
): Promise<readonly string[]> {
  const joinStrings = await daemon.ask('mint', { count });
  let isDone = false;
  const joined = load.ask('join', { joinStrings }).finally(() => {
    isDone = true;
  });
  const approving = (async () => {
    while (!isDone) await daemon.ask('approvePending', undefined);
  })();
  await Promise.all([joined, approving]);
  return daemon.ask('online', { count });
}
