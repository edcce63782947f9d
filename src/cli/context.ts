import type { Clock } from '../kernel/clock.js';
import type { ExitCode } from './exit-codes.js';

/** A place to print to. */
export interface CliOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Characters of a line of the terminal. */
  readonly columns?: number | undefined;
}

export interface AskOptions {
  /** What an answer looks like. */
  readonly placeholder: string;
  /** Why a text can't be the answer, for the person to mend it; undefined when it can. */
  problem(text: string): string | undefined;
}

/** One of several answers to choose from. */
export interface Choice<T> {
  readonly value: T;
  readonly label: string;
}

/** Everything of the world outside that a command touches; tests give their own. */
export interface CliContext {
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean | undefined };
  /** Results only, so that a pipe gets nothing else. */
  readonly stdout: CliOutput;
  /** Errors, progress and what is said beside a result. */
  readonly stderr: CliOutput;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** What the program ends with if no error is thrown. A command sets it. */
  exitCode: ExitCode;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  /** Asks for a line of text; undefined when the person gave up. Only when {@link interactive}. */
  ask(question: string, options: AskOptions): Promise<string | undefined>;
  /** Asks a yes-or-no question; no is the default. Only when {@link interactive}. */
  confirm(question: string): Promise<boolean>;
  /**
   * Lets the person choose one of several answers; the first is chosen by Enter alone. Undefined when the person gave up, or
   * `signal` aborted: the question is taken from the screen then. Only when {@link interactive}.
   */
  choose<T>(question: string, choices: readonly Choice<T>[], signal: AbortSignal): Promise<T | undefined>;
  /** Calls the listener for each Ctrl-C, in place of ending the program, until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
}

/** Whether to print in colour there: on a terminal, unless NO_COLOR (no-color.org) or TERM=dumb says otherwise. */
export function hasColours(output: CliOutput, env: NodeJS.ProcessEnv): boolean {
  return output.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** Waits that many milliseconds by the clock of the context. */
export function pause({ clock }: CliContext, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms);
  });
}
