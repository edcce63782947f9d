import type { KernelLog } from '../kernel/log.js';
import type { DevReport } from './dev-report.js';

const levels = ['debug', 'info', 'warn', 'error'] as const;

/**
 * The log of the node of `palyra plugin dev`: what the plugin logs and prints is told to its author, whatever its level; the rest goes
 * where it always goes.
 */
export function devLog(rest: KernelLog, report: (report: DevReport) => void): KernelLog {
  const [debug, info, warn, error] = levels.map((level) => (about: object, message: string): void => {
    const { plugin, capability, fields } = about as Readonly<Record<string, unknown>>;
    if (plugin === undefined && capability === undefined) {
      rest[level](about, message);
      return;
    }
    report({ event: 'log', level, message, ...(isEmpty(fields) ? {} : { fields }) });
  });
  return { debug, info, warn, error } as KernelLog;
}

function isEmpty(fields: unknown): boolean {
  return typeof fields !== 'object' || fields === null || Object.keys(fields).length === 0;
}
