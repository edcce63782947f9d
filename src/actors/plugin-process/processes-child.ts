import type { ChildSpec } from '../../kernel/child.js';
import { crowd } from '../../kernel/crowd.js';
import type { Kernel } from '../../kernel/kernel.js';
import { crowds, pluginProcessAddress } from '../addresses.js';
import { pluginProcessMachine } from './machine.js';

/** How long the processes of plugins have to end at shutdown, milliseconds. Nothing runs in them by then. */
const endMs = 4_000;

/**
 * The crowd of the processes of plugins, as a child of a supervisor.
 *
 * @param abandon what is to be done about a process whose actor crashed
 */
export function processesChild(kernel: Kernel, abandon: (key: string, error: unknown) => void): ChildSpec {
  return {
    id: 'plugins',
    address: crowds.plugins,
    logic: crowd({
      kernel,
      name: 'plugins',
      logic: pluginProcessMachine,
      address: pluginProcessAddress,
      abandon,
      shutdownMs: endMs,
      remember: 20,
    }),
    restart: 'permanent',
    shutdown: endMs + 500,
  };
}
