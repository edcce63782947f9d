import type { Senders } from '../../kernel/authority.js';
import type { AppError } from '../../kernel/errors.js';
import type { ShutdownEvent } from '../../kernel/lifecycle.js';

/** `run` numbers the processes of one member: what an older one says is not heard. */
export type PluginProcessEvent =
  | { type: 'wanted' }
  | { type: 'journaled'; run: number }
  | { type: 'loaded'; run: number }
  | { type: 'refused'; run: number; error: AppError }
  | { type: 'condemned'; run: number; error: AppError }
  | { type: 'exited'; run: number; error: AppError }
  | { type: 'gone'; run: number }
  | { type: 'idle' }
  | { type: 'drain'; graceMs: number }
  | { type: 'deadline' }
  | ShutdownEvent;

/** Who sends each of them. */
export const pluginProcessSenders = {
  wanted: { from: 'a run that waits' },
  journaled: { from: 'the store' },
  loaded: { from: 'the process' },
  refused: { from: 'the process' },
  condemned: { from: 'the runner' },
  exited: { from: 'the operating system' },
  gone: { from: 'the operating system' },
  idle: { from: 'the runner' },
  drain: { from: 'the runner' },
  deadline: { from: 'its deadline' },
  'kernel.shutdown': { from: 'its supervisor' },
} as const satisfies Senders<PluginProcessEvent>;
