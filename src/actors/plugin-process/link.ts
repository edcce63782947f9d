import type { ChildFrame, HostFrame } from '../../plugins/process/frames.js';

/** Which processes a plugin's process and its descendants are, for whoever has to end them later. Plain JSON. */
export interface ProcessTree {
  /** The first one's id, which is that of its group too. */
  readonly pid: number;
  /** When that one started, in a form of the operating system's own that is only good for comparison. */
  readonly startedAt: string;
  /** A random word in the environment of all of them. */
  readonly marker: string;
}

/** A process of a plugin, as the actors see it. */
export interface ProcessLink {
  /** Undefined when it could not be started; `exited` follows. */
  readonly tree: ProcessTree | undefined;
  /** Bytes that wait to be taken by the process. */
  readonly backlog: number;
  /** Resident memory as it was known last, in bytes. */
  residentBytes(): number;
  send(frame: HostFrame): void;
  /** Asks it to end, or ends it. When it is gone, so is everything that it had started, and `gone` follows. */
  end(how: 'asked' | 'killed'): void;
}

/** What is heard of a process one by one; what it left out comes as a count. */
export type Heard = Exclude<ChildFrame, { readonly type: 'dropped' }>;

/** How the process of a plugin speaks to the actors. None of it is called before `launch` has returned. */
export interface ProcessHandlers {
  frame(frame: Heard): void;
  /** A line that it wrote to its standard output or error. */
  printed(stream: 'stdout' | 'stderr', line: string): void;
  /** Logs, progress and lines that were left out because there were too many. */
  dropped(logs: number, progress: number): void;
  /** It said something that is no frame of the protocol. */
  broken(why: string): void;
  /** It has ended, in words: `it exited with code 1`. What it had started may still run. */
  exited(how: string): void;
  /** Nothing of it is left, and everything that it said has been heard. */
  gone(): void;
}
