import { join } from 'node:path';
import { toolRunner } from '../../adapters/service/run-tool.js';
import { systemdNotifier } from '../../adapters/service/sd-notify.js';
import { jsonLog, type LogLevel } from '../../adapters/telemetry/log.js';
import { withoutSecrets } from '../../adapters/telemetry/redaction.js';
import { RotatingLog } from '../../adapters/telemetry/rotating-log.js';
import { toAppError } from '../../kernel/errors.js';
import type { KernelLog } from '../../kernel/log.js';
import type { NodeReport, Reporter } from '../../node/reporter.js';
import type { CliContext } from '../context.js';
import { narrator } from '../node-narrator.js';
import { colours, print } from '../output.js';
import { printable } from '../printable.js';

/** Where a host that runs as a service says what happens. */
export interface ServiceOutput {
  readonly log: KernelLog;
  readonly report: Reporter;
  /** The host is up. */
  ready(): void;
  /** The host could not start, or could not go on. */
  failed(thrown: unknown): void;
  /** The host is about to end. */
  stopping(): Promise<void>;
  close(): void;
}

/** What changes how the line stands: the manager of the service shows it. */
const told: ReadonlySet<NodeReport['event']> = new Set([
  'connected',
  'disconnected',
  'refused',
  'certificate_ended',
  'pending_approval',
]);

/** Where the log of a state directory is. */
export function logFolder(stateDirectory: string): string {
  return join(stateDirectory, 'logs');
}

/**
 * The output of a service: each report as a line of JSON in the log of the state directory, as a text on standard output, which
 * systemd keeps in its journal, and the standing of the line to systemd.
 */
export function openServiceOutput(
  stateDirectory: string,
  level: LogLevel,
  context: CliContext,
): ServiceOutput {
  const { clock } = context;
  const file = new RotatingLog(logFolder(stateDirectory), clock);
  const notifier = systemdNotifier(context.env, clock, toolRunner);
  const narrate = narrator(colours(context.stdout, context.env), printable);
  let shown = '';
  const write = (level: string, entry: object): void => {
    const time = new Date(clock.now()).toISOString();
    file.write(withoutSecrets(JSON.stringify({ level, time, ...entry })));
  };
  return {
    log: jsonLog(level, { write: (line: string) => file.write(line) }),
    report: (report) => {
      write('error' in report && report.error !== undefined ? 'warn' : 'info', report);
      const text = narrate(report);
      print(context, text);
      const [standing = ''] = text.split('\n');
      if (!told.has(report.event) || standing === shown) return;
      shown = standing;
      notifier.status(standing);
    },
    ready: () => notifier.ready(),
    failed: (thrown) => write('error', { event: 'failed', error: toAppError(thrown).toEnvelope() }),
    stopping: () => notifier.stopping(),
    close: () => file.close(),
  };
}
