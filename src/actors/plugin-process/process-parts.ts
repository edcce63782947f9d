import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import type { AppError } from '../../kernel/errors.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Permissions } from '../../plugins/descriptor.js';
import type { PermissionKind } from '../../plugins/standing.js';
import type { ProcessLimits } from './behaviour.js';
import type { ProcessHandlers, ProcessLink, ProcessTree } from './link.js';

/** Which code runs in a process of its own, and what it may. */
export interface ProcessSpec {
  readonly plugin: string;
  /** The real path of the plugin's folder. */
  readonly folder: string;
  /** The real path of its JavaScript file. */
  readonly entry: string;
  /** SHA-256 of that file, hex. */
  readonly build: string;
  readonly capabilities: readonly string[];
  readonly permissions: Permissions;
}

export interface RunnerLimits extends ProcessLimits {
  /** How long an aborted handler may take to stop, milliseconds. */
  readonly graceMs: number;
  /** The most bytes of an output as JSON. */
  readonly maxOutputBytes: number;
}

/** What the runner of a process asks of the node host and the operating system. */
export interface ProcessParts {
  readonly directory: Directory;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly log: KernelLog;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly limits: RunnerLimits;
  /** What its process is held to. */
  readonly enforced: readonly PermissionKind[];
  /** Starts a process for a plugin. */
  launch(spec: ProcessSpec, handlers: ProcessHandlers): ProcessLink;
  /** Writes which processes these are to disk, then calls back. */
  journal(plugin: string, tree: ProcessTree, done: () => void): void;
  /** None of them is left. */
  forget(tree: ProcessTree): void;
  /** A plugin has failed too often and runs no more. */
  disabled(plugin: string, error: AppError): void;
  /** The runner has stopped, and nothing of it is left. */
  stopped(): void;
}
