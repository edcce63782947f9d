import { onHangUp } from '../adapters/os/hang-up.js';
import { defaultStateDirectory } from '../adapters/os/state-directory.js';
import { takePassphrase } from '../adapters/secrets/passphrase.js';
import { jsonLog } from '../adapters/telemetry/log.js';
import { exitCodeOfCategory } from '../cli/exit-codes.js';
import { printError } from '../cli/output.js';
import { toAppError } from '../kernel/errors.js';
import { runtimeVersion } from '../plugins/runtime-version.js';
import { type DaemonArguments, parseArguments } from './arguments.js';
import { type ConfigReading, readConfig } from './config/daemon-config.js';
import { type Daemon, startDaemon } from './daemon.js';

/** What of the process the daemon's program uses. */
export type DaemonProcess = Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr' | 'on' | 'once' | 'off'>;

/** Runs palyrad until it is told to stop, and returns the exit code. */
export async function run(argv: readonly string[], process: DaemonProcess): Promise<number> {
  let json = argv.includes('--json');
  try {
    const given = parseArguments(argv, (text) => process.stdout.write(text));
    if (!given) return 0;
    json = given.json;
    const started = performance.now();
    const daemon = await start(given, process);
    process.stdout.write(given.json ? readyLine(daemon) : readyText(daemon, performance.now() - started));
    const endReloads = onHangUp(process, {
      // What is wrong with the configuration is told, and nothing changes.
      reload: () => {
        daemon.plugins.takeUp().catch((thrown: unknown) => printError(process, toAppError(thrown), json));
      },
      gone: () => {
        daemon.stop('its terminal was closed').catch(() => undefined);
      },
    });
    await untilStopped(daemon, process);
    endReloads();
    return 0;
  } catch (thrown) {
    const error = toAppError(thrown);
    printError(process, error, json);
    return exitCodeOfCategory(error.category);
  }
}

async function start(given: DaemonArguments, { env }: DaemonProcess): Promise<Daemon> {
  const read = (): ConfigReading =>
    readConfig({
      env,
      ...(given.config === undefined ? {} : { file: given.config }),
      flags: {
        ...(given.httpPort === undefined ? {} : { httpPort: given.httpPort }),
        ...(given.enrollPort === undefined ? {} : { enrollPort: given.enrollPort }),
        ...(given.nodePort === undefined ? {} : { nodePort: given.nodePort }),
        ...(given.logLevel === undefined ? {} : { logLevel: given.logLevel }),
        ...(given.passphraseFile === undefined ? {} : { passphraseFile: given.passphraseFile }),
      },
    });
  const reading = read();
  const { config } = reading;
  const stateDirectory = given.stateDir ?? defaultStateDirectory('daemon', env);
  const passphrase = await takePassphrase({ file: config.state.passphraseFile, env });
  return startDaemon({
    reading,
    reread: read,
    stateDirectory,
    log: jsonLog(config.log.level),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}

/** Waits for SIGTERM, SIGINT or a fault. A second signal ends the process at once. */
async function untilStopped(daemon: Daemon, process: DaemonProcess): Promise<void> {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const onSignal = (signal: NodeJS.Signals): void => {
    for (const one of signals) process.off(one, onSignal);
    daemon.stop(signal).catch(() => undefined);
  };
  for (const signal of signals) process.once(signal, onSignal);
  await daemon.ended;
}

function readyLine({ addresses, caFingerprint }: Daemon): string {
  return `${JSON.stringify({ event: 'ready', ...addresses, caFingerprint })}\n`;
}

function readyText({ addresses, caFingerprint, stateDirectory }: Daemon, ms: number): string {
  return `palyrad ${runtimeVersion()} is ready after ${Math.round(ms)} ms
  control plane  ${addresses.http}
  enrolment      ${addresses.enrollment}
  nodes          ${addresses.node}
  CA SHA-256     ${caFingerprint}
  state          ${stateDirectory}
Let a machine join with: palyra pair
`;
}
