import { compile } from '../kernel/compile.js';
import { crowd } from '../kernel/crowd.js';
import type { Kernel } from '../kernel/kernel.js';
import { type SupervisorLogic, supervisor } from '../kernel/supervisor.js';
import { crowds, executionAddress, mediationAddress, nodeParts } from './addresses.js';
import type { Executions } from './execution/executions.js';
import { executionMachine } from './execution/machine.js';
import { mediationMachine } from './mediation/machine.js';
import { processesChild } from './plugin-process/processes-child.js';
import type { RenewalPorts } from './renewal/behaviour.js';
import { renewalMachine } from './renewal/machine.js';
import type { UplinkPorts } from './uplink/behaviour.js';
import { uplinkMachine } from './uplink/machine.js';

export interface NodeTreeOptions {
  readonly kernel: Kernel;
  readonly uplink: UplinkPorts;
  readonly renewal: RenewalPorts;
  readonly executions: Executions;
  /** What is to be done about a question whose actor crashed. */
  readonly mediations: { abandon(dispatchId: string, error: unknown): void };
  /** What is to be done about the process of a plugin whose actor crashed. */
  readonly processes: { abandon(key: string, error: unknown): void };
  /** How long running handlers have to end at shutdown, milliseconds. */
  readonly drainMs: number;
}

/**
 * The node host's actors:
 *
 *     root (one_for_one)
 *     ├── uplink       the line to the daemon              uplink
 *     ├── renewal      keeps its certificate in force      renewal
 *     ├── plugins      one per build with its own process  plugin/<name>#<number>
 *     ├── mediations   one per question to the person      mediation/<dispatch>
 *     └── executions   one per dispatch                    execution/<dispatch>
 *
 * They are stopped in reverse: first the handlers end and their results go out, then questions are
 * taken back and the processes of the plugins end, then
 * the uplink says goodbye.
 */
export function nodeTree(options: NodeTreeOptions): SupervisorLogic {
  const { kernel, uplink, renewal, executions, mediations, processes, drainMs } = options;
  return supervisor({
    kernel,
    strategy: 'one_for_one',
    children: [
      {
        id: 'uplink',
        address: nodeParts.uplink,
        logic: uplinkMachine,
        input: { ports: uplink },
        restart: 'permanent',
        shutdown: 2_000,
      },
      {
        id: 'renewal',
        address: nodeParts.renewal,
        logic: renewalMachine,
        input: { ports: renewal },
        restart: 'permanent',
        shutdown: 1_000,
      },
      processesChild(kernel, (key, error) => processes.abandon(key, error)),
      {
        id: 'mediations',
        address: crowds.mediations,
        logic: crowd({
          kernel,
          name: 'mediations',
          logic: compile(mediationMachine),
          address: mediationAddress,
          abandon: (id, error) => mediations.abandon(id, error),
          // They end in the turn in which they are told to.
          shutdownMs: 500,
        }),
        restart: 'permanent',
        shutdown: 1_000,
      },
      {
        id: 'executions',
        address: crowds.executions,
        logic: crowd({
          kernel,
          name: 'executions',
          logic: compile(executionMachine),
          address: executionAddress,
          abandon: (id, error) => executions.abandon(id, error),
          shutdownMs: drainMs,
        }),
        restart: 'permanent',
        shutdown: drainMs + 500,
      },
    ],
  });
}
