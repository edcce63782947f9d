import type { DispatchOrder } from '../actors/link/frames.js';
import { RememberedAnswers } from '../actors/mediation/answers.js';
import type { Mediator } from '../actors/mediation/question.js';
import { MemoryStore } from '../adapters/store/memory.js';
import type { Clock } from '../kernel/clock.js';
import { createKernel } from '../kernel/kernel.js';
import type { KernelLog } from '../kernel/log.js';
import { capabilityHost } from '../node/capability-host.js';
import { nodeMediations } from '../node/node-mediations.js';
import { NodePlugins } from '../node/node-plugins.js';
import { noRules } from '../node/plugin-rules.js';
import type { Reporter } from '../node/reporter.js';
import { InlineRunner } from '../plugins/inline-runner.js';
import type { HostServices } from '../plugins/sdk/handler.js';
import { peerOf } from './kit-daemon.js';
import { type MemoryNode, startMemoryNode, wireLine } from './memory-node.js';
import { clockOf, type Life, ProcessStore } from './process-life.js';
import type { DaemonEnd, Wire } from './wire.js';

/** What of a node outlives its process. */
export class NodeDisk {
  readonly store = new MemoryStore();
}

export interface KitNodeOptions {
  readonly disk: NodeDisk;
  readonly clock: Clock;
  /** When the kit was made, milliseconds since the epoch. */
  readonly start: number;
  readonly pluginRoot: string;
  readonly config: ReadonlyMap<string, object>;
  readonly services: HostServices;
  readonly mediator: Mediator;
  readonly log: KernelLog;
  readonly report: Reporter;
  daemon(): DaemonEnd | undefined;
  opened(wire: Wire): void;
  /** A handler is about to run. */
  running(order: DispatchOrder): void;
  /** A handler has sent progress: a JSON value. */
  progressed(order: DispatchOrder, value: unknown): void;
  storeFailed(error: unknown): void;
}

export interface KitNode extends MemoryNode {
  readonly plugins: NodePlugins;
}

/**
 * Starts a node's actors from its disk, with its plugins, as the node host does. A plugin that asks for a process of its own runs in
 * this one too, so that a test sees into it.
 */
export async function startKitNode(options: KitNodeOptions): Promise<KitNode> {
  const { disk, services, mediator, log, report, running, progressed, storeFailed } = options;
  const life: Life = { dead: false };
  const clock = clockOf(life, options.clock);
  const kernel = createKernel({ clock, log, random: () => 0.5 });
  const plugins = await NodePlugins.load({
    source: { roots: [options.pluginRoot], rules: { ...noRules, settings: options.config } },
    services,
    processes: { runner: (plugin) => new InlineRunner({ ...plugin, clock }) },
    clock,
    directory: kernel.directory,
    report,
  });
  const store = new ProcessStore(life, disk.store);
  const answers = new RememberedAnswers(store, clock);
  answers.watch(kernel.deadlines, storeFailed);
  const mediations = nodeMediations({ kernel, store, answers, mediator, report });
  const host = capabilityHost({ plugins: plugins.host, mediations, log });
  const started = await startMemoryNode({
    life,
    kernel,
    store,
    plugins,
    mediations,
    host: {
      ...host,
      run: (order, signal, deadline, permission, progress) => {
        running(order);
        const run = host.run(order, signal, deadline, permission, (value, skipped) => {
          if (life.dead) return;
          progressed(order, JSON.parse(Buffer.from(value).toString('utf8')));
          progress(value, skipped);
        });
        return whileAlive(life, run);
      },
    },
    report,
    line: wireLine({
      life,
      kernel,
      peer: () => peerOf(options.start),
      daemon: options.daemon,
      opened: options.opened,
    }),
    storeFailed,
  });
  return {
    ...started,
    plugins,
    stop: () => {
      life.dead = true;
      started.stop();
    },
  };
}

/** A promise as a process sees it that may die: then it hears nothing any more. */
function whileAlive<T>(life: Life, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    promise.then(
      (value) => {
        if (!life.dead) resolve(value);
      },
      (error: unknown) => {
        if (!life.dead) reject(error);
      },
    );
  });
}
