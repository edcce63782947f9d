import { inspect } from 'node:util';

/** The log port. `fields` are data for machines, `message` one plain sentence. Adapters redact and format. */
export interface KernelLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

type Level = keyof KernelLog;

function toStderr(level: Level): (fields: object, message: string) => void {
  return (fields, message) => {
    process.stderr.write(
      `${level}: ${message} ${inspect(fields, { depth: 6, breakLength: Number.POSITIVE_INFINITY })}\n`,
    );
  };
}

const ignore = (): void => {};

/** The log of a kernel that was given none: warnings and errors on stderr. */
export const stderrLog: KernelLog = {
  debug: ignore,
  info: ignore,
  warn: toStderr('warn'),
  error: toStderr('error'),
};

/**
 * A log that can't fail. The kernel logs while it cleans up after a crash, where a log that throws would turn one dead
 * actor into many.
 */
export function neverThrowing(log: KernelLog): KernelLog {
  const guard =
    (level: Level) =>
    (fields: object, message: string): void => {
      try {
        log[level](fields, message);
      } catch {
        // There is nowhere left to report to.
      }
    };
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') };
}
