import { type ControlServer, openControlServer } from '../adapters/control/control-server.js';
import type { Clock } from '../kernel/clock.js';
import type { KernelLog } from '../kernel/log.js';
import { runtimeVersion } from '../plugins/runtime-version.js';
import { type SessionStanding, standingAfter, startingStanding } from './host-standing.js';
import type { Reporter } from './reporter.js';

/** What a running host knows of itself beside its reports. */
export interface HostFactsNow {
  readonly deviceId: string;
  readonly name: string;
  /** When its newest certificate ends, milliseconds since the epoch. */
  readonly certificateEnds: number;
  /** How many capabilities it runs at this moment. */
  readonly running: number;
}

/** What a running host answers to `status`. Times are milliseconds since the epoch. */
export interface HostStatus extends Partial<HostFactsNow> {
  readonly pid: number;
  readonly version: string;
  readonly startedAt: number;
  readonly session: SessionStanding;
}

export interface HostControlOptions {
  /** The state directory, whose lock is held. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: KernelLog;
  readonly report: Reporter;
}

/**
 * The owner's way to a running host: its standing, told over the socket of its state directory.
 *
 * `status` answers with {@link HostStatus}; `watch` says it as an event at once and after each change, until the other side goes.
 */
export class HostControl {
  readonly #options: HostControlOptions;
  readonly #startedAt: number;
  readonly #watchers = new Set<() => void>();
  #server: ControlServer | undefined;
  #standing: SessionStanding;
  #facts: (() => HostFactsNow) | undefined;

  private constructor(options: HostControlOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#standing = startingStanding(this.#startedAt);
  }

  /** Opens the socket. A host that can't have one works all the same, and the log says so. */
  static async open(options: HostControlOptions): Promise<HostControl> {
    const control = new HostControl(options);
    try {
      control.#server = await openControlServer({
        directory: options.directory,
        clock: options.clock,
        handlers: {
          status: () => control.status(),
          watch: (_request, say, signal) => control.#watch(say, signal),
        },
      });
      if (control.#server === undefined) {
        options.log.warn(
          { directory: options.directory },
          'The path of the state directory is too long for a socket: `palyra node status` can not ask this host',
        );
      }
    } catch (err) {
      options.log.warn({ err }, 'The socket for `palyra node status` could not be opened');
    }
    return control;
  }

  /** Reports as the host does: what it says is kept, and passed on. */
  get report(): Reporter {
    return (report) => {
      const { clock, report: passOn } = this.#options;
      this.#standing = standingAfter(this.#standing, report, clock.now());
      passOn(report);
      for (const tell of this.#watchers) tell();
    };
  }

  /** The host has come so far that it knows more of itself. */
  know(facts: () => HostFactsNow): void {
    this.#facts = facts;
  }

  /** The host has been asked to end. */
  stopping(reason: string): void {
    this.#standing = standingAfter(this.#standing, { event: 'stopped', reason }, this.#options.clock.now());
    for (const tell of this.#watchers) tell();
  }

  status(): HostStatus {
    return {
      pid: process.pid,
      version: runtimeVersion(),
      startedAt: this.#startedAt,
      session: this.#standing,
      ...this.#facts?.(),
    };
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** One that does not read is cut off by the server. */
  #watch(say: (event: object) => void, signal: AbortSignal): Promise<object> {
    const tell = (): void => say(this.status());
    this.#watchers.add(tell);
    tell();
    return new Promise((resolve) => {
      signal.addEventListener(
        'abort',
        () => {
          this.#watchers.delete(tell);
          resolve({});
        },
        { once: true },
      );
    });
  }
}
