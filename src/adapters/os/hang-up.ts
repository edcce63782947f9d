import { isatty } from 'node:tty';

/** What of the process is used. */
export interface HangUpProcess {
  on(signal: 'SIGHUP', listener: () => void): unknown;
  off(signal: 'SIGHUP', listener: () => void): unknown;
}

export interface HangUpListeners {
  /** Somebody wants the configuration to be read again. */
  reload(): void;
  /** The terminal that the program was started in is gone. */
  gone(): void;
}

const stdout = 1;

/**
 * Listens to SIGHUP, which has two meanings: `kill -HUP` asks for the configuration to be read again, and a terminal that closes
 * sends it to what runs in it. A closed terminal is none any more.
 *
 * @param isTerminal whether standard output is a terminal. Default: asks the system
 * @returns ends the listening
 * @example const end = onHangUp(process, { reload: () => reloadPlugins(), gone: () => stop('SIGHUP') });
 */
export function onHangUp(
  process: HangUpProcess,
  { reload, gone }: HangUpListeners,
  isTerminal: () => boolean = () => isatty(stdout),
): () => void {
  const hadTerminal = isTerminal();
  const onSignal = (): void => {
    if (hadTerminal && !isTerminal()) gone();
    else reload();
  };
  process.on('SIGHUP', onSignal);
  return () => process.off('SIGHUP', onSignal);
}
