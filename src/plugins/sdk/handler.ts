/** What the node gives to plugins. A plugin opens a page by asking; it never starts a program for that itself. */
export interface HostServices {
  /**
   * Opens an http or https URL in the default browser of the person at the node.
   *
   * @throws an error when no browser could be started
   */
  openUrl(url: string): Promise<void>;
}

/** Where a handler writes what an operator may want to read later. Never log secrets. */
export interface PluginLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** All that a handler gets for one run. */
export interface HandlerCall<Input = unknown, Config = unknown> {
  /** Valid by the capability's input schema. */
  readonly input: Input;
  /** Aborted when the run is cancelled or its deadline has come. A handler that goes on is given up. */
  readonly signal: AbortSignal;
  /** When the run must be over, milliseconds since the epoch by this machine's clock. */
  readonly deadline: number;
  /** Sends one JSON value (64 KiB at most) to whoever waits for the result. */
  progress(value: unknown): void;
  readonly log: PluginLog;
  /** The operator's settings for this plugin, valid by its config schema. */
  readonly config: Config;
  readonly host: HostServices;
}

/** Does the work and returns the output: JSON, valid by the capability's output schema. */
export type Handler<Input = unknown, Output = unknown, Config = unknown> = (
  call: HandlerCall<Input, Config>,
) => Output | Promise<Output>;
