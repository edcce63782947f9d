import { callHost } from '../../adapters/control/control-client.js';
import { serviceError } from '../../adapters/service/service-errors.js';
import type { ServiceManager } from '../../adapters/service/service-manager.js';
import { readLog } from '../../adapters/telemetry/log-reader.js';
import { AppError, type ErrorEnvelope, toAppError } from '../../kernel/errors.js';
import type { HostStatus } from '../../node/host-control.js';
import type { SessionStanding } from '../../node/host-standing.js';
import { type CliContext, pause } from '../context.js';
import { parseLogEntry } from './log-entry.js';
import { logFolder } from './output.js';

export interface AwaitedSession {
  readonly stateDirectory: string;
  readonly manager: ServiceManager;
  /** When it was started, milliseconds since the epoch: an older failure in the log is not this one. */
  readonly since: number;
  readonly timeoutMs: number;
}

const pollMs = 150;
/** A manager may need this long to begin with what it was told, milliseconds. */
const graceMs = 3_000;

/**
 * Waits until the host that was started has a session with its daemon.
 *
 * @throws AppError `service.refused`, `service.expired`, `service.unreachable`, `service.not_connected` while the host goes on trying;
 *   what the host itself failed with, or `service.not_started`, when it has ended.
 */
export async function awaitSession(awaited: AwaitedSession, context: CliContext): Promise<HostStatus> {
  const { stateDirectory, manager, since, timeoutMs } = awaited;
  const { clock } = context;
  const until = clock.monotonic() + timeoutMs;
  const graceEnds = clock.monotonic() + Math.min(graceMs, timeoutMs);
  let last: HostStatus | undefined;
  while (clock.monotonic() < until) {
    last = (await watchUntilSettled(stateDirectory, until - clock.monotonic())) ?? last;
    if (last?.session.state === 'connected') return last;
    if (last?.session.state === 'refused') break;
    // It does not listen: not yet, or not any more.
    const failure = failureSince(stateDirectory, since);
    const { state, detail } = await manager.state();
    const isDown = state === 'waiting' || (state === 'stopped' && clock.monotonic() > graceEnds);
    if (failure !== undefined && state !== 'running') throw AppError.fromEnvelope(failure);
    if (isDown) {
      throw serviceError(
        'not_started',
        `The node host has ended again${detail === undefined ? '' : `: ${detail}`}`,
        {
          hint: 'See why: palyra node logs',
        },
      );
    }
    await pause(context, pollMs);
  }
  throw notConnected(last?.session, timeoutMs);
}

/** The standing once it is one to stop at, or the last before the host hung up; undefined when it does not listen. */
async function watchUntilSettled(directory: string, limitMs: number): Promise<HostStatus | undefined> {
  const settled = new AbortController();
  let last: HostStatus | undefined;
  try {
    await callHost({
      directory,
      request: { op: 'watch' },
      limitMs,
      signal: settled.signal,
      onEvent: (event) => {
        last = event as HostStatus;
        if (last.session.state === 'connected' || last.session.state === 'refused') settled.abort();
      },
    });
  } catch (thrown) {
    if (!toAppError(thrown).code.startsWith('control.')) throw thrown;
  }
  return last;
}

/** With what the host ended, if that was after a time, milliseconds since the epoch. */
export function failureSince(stateDirectory: string, since: number): ErrorEnvelope | undefined {
  const { lines } = readLog(logFolder(stateDirectory), { last: 50, since });
  return lines.map(parseLogEntry).findLast((entry) => entry?.event === 'failed')?.error;
}

function notConnected(session: SessionStanding | undefined, timeoutMs: number): AppError {
  const goesOn = 'The service runs and goes on trying: palyra node status';
  const { error } = session ?? {};
  const hint = error?.hint === undefined ? goesOn : `${error.hint}\n${goesOn}`;
  const why = error === undefined ? '' : `: ${error.message}`;
  const details = {
    session: session?.state ?? 'none',
    ...(error === undefined ? {} : { error: { ...error } }),
  };
  switch (session?.state) {
    case 'refused':
      return serviceError('refused', `The daemon refuses this node${why}`, { hint, details });
    case 'expired':
      return serviceError('expired', `The certificate of this node is not good any more${why}`, {
        hint,
        details,
      });
    case 'pairing':
      return serviceError('expired', 'An operator has to let this node come back', {
        hint: `They run: palyra pairings list. ${goesOn}`,
        details,
      });
    case 'waiting':
    case 'connecting':
      if (error === undefined) break;
      return serviceError('unreachable', `The daemon can't be reached${why}`, { hint, details });
  }
  const text = `There is no session after ${Math.round(timeoutMs / 1_000)} s`;
  return serviceError('not_connected', `${text}${why}`, { hint: goesOn, details });
}
