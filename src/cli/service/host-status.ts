import { callHost } from '../../adapters/control/control-client.js';
import { directoryHolder } from '../../adapters/os/directory-lock.js';
import { toAppError } from '../../kernel/errors.js';
import type { HostStatus } from '../../node/host-control.js';

/** Whether a host runs on a state directory, and what it says. `silent`: it runs and does not answer. */
export type HostAnswer =
  | { readonly state: 'running'; readonly status: HostStatus }
  | { readonly state: 'silent'; readonly pid: number; readonly program: string }
  | { readonly state: 'stopped' };

const answerMs = 5_000;

/** Asks the host of a state directory how it stands. */
export async function askHost(stateDirectory: string): Promise<HostAnswer> {
  try {
    const status = await callHost({
      directory: stateDirectory,
      request: { op: 'status' },
      limitMs: answerMs,
    });
    return { state: 'running', status: status as HostStatus };
  } catch (thrown) {
    const { code } = toAppError(thrown);
    if (!code.startsWith('control.')) throw thrown;
    const holder = directoryHolder(stateDirectory);
    if (holder === undefined) return { state: 'stopped' };
    return { state: 'silent', pid: holder.pid, program: holder.program };
  }
}
