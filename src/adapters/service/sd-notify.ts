import type { Clock, TimerHandle } from '../../kernel/clock.js';
import type { RunTool } from './run-tool.js';

/** Tells systemd how its service is (sd_notify(3)). Nothing happens where systemd has not asked for it. */
export interface SystemdNotifier {
  /** The service is up; from now on it says that it is alive, as often as the watchdog of the unit wants. */
  ready(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** The service is about to end. Resolves when that is told. */
  stopping(): Promise<void>;
}

/** How often in the time of the watchdog the service says that it is alive. */
const watchdogBeat = 3;
const callMs = 10_000;

/**
 * The notifier of this process, from what systemd has put into its environment, which is taken out of it: no process of a plugin
 * inherits the socket.
 *
 * Node has no datagram sockets of the local kind, so `systemd-notify` is called. It is the loop of this process that starts it: one
 * that hangs says nothing, and is started again.
 *
 * @param runWith runs a program with that environment.
 */
export function systemdNotifier(
  env: NodeJS.ProcessEnv,
  clock: Clock,
  runWith: (env: NodeJS.ProcessEnv) => RunTool,
): SystemdNotifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: micros, WATCHDOG_PID: pid, PATH } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (socket === undefined || socket === '') {
    return { ready: () => undefined, status: () => undefined, stopping: async () => undefined };
  }
  const run = runWith({ NOTIFY_SOCKET: socket, PATH });
  const isWatched = pid === undefined || pid === String(process.pid);
  const beatMs = isWatched ? Number(micros) / 1_000 / watchdogBeat : Number.NaN;
  // One after the other, so that what is said last is what counts.
  let said: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let timer: TimerHandle;
  const say = (...words: readonly string[]): Promise<unknown> => {
    waiting += 1;
    said = said
      .then(() => run('systemd-notify', words, callMs))
      .catch(() => undefined)
      .finally(() => {
        waiting -= 1;
      });
    return said;
  };
  const beat = (): void => {
    // One that could not be told yet counts for this one.
    if (waiting === 0) void say('WATCHDOG=1');
    timer = clock.setTimeout(beat, beatMs);
  };
  return {
    ready: () => {
      void say('--ready');
      if (beatMs > 0) timer = clock.setTimeout(beat, beatMs);
    },
    status: (text) => void say(`STATUS=${text.replace(/[\r\n]+/g, ' ')}`),
    stopping: async () => {
      if (timer !== undefined) clock.clearTimeout(timer);
      await say('STOPPING=1');
    },
  };
}
