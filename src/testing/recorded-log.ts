import type { KernelLog } from '../kernel/log.js';

/** A line of the daemon's or the node's log. */
export interface LoggedLine {
  readonly level: keyof KernelLog;
  readonly message: string;
  /** With `fields`, what a handler gave to its log. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A log whose lines end up in that list. */
export function recordedLog(lines: LoggedLine[]): KernelLog {
  const write =
    (level: keyof KernelLog) =>
    (fields: object, message: string): void => {
      lines.push({ level, message, fields: fields as LoggedLine['fields'] });
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
