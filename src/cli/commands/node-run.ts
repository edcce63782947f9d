import type { Command } from 'commander';
import { parseDuration } from '../../kernel/duration.js';
import { toAppError } from '../../kernel/errors.js';
import type { KernelLog } from '../../kernel/log.js';
import type { NodeHost } from '../../node/node-host.js';
import type { PluginSource } from '../../node/plugin-rules.js';
import type { Reporter } from '../../node/reporter.js';
import { cliError } from '../cli-errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { readInvitation } from '../node-invitation.js';
import { mediatorFor, onSignals, reporterFor } from '../node-terminal.js';
import type { ServiceOutput } from '../service/output.js';

interface RunFlags {
  readonly pin?: string | true;
  readonly config?: string;
  readonly stateDir?: string;
  readonly recordUrls?: string;
  readonly drain: string;
  readonly passphraseFile?: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly json?: boolean;
  readonly service?: boolean;
}

/** `palyra node run`: the node host in the foreground. */
export function registerNodeRun(node: Command, context: CliContext): void {
  const run = node
    .command('run')
    .description('run the node host in the foreground; pair first when a join string or --pin is given')
    .argument('[join]', "what `palyra pair` printed; '-' reads it from standard input")
    .option(
      '--pin [host:port]',
      'join with a PIN: it is asked for, or read from PALYRA_PIN or standard input; the address is that of the enrolment port (default: 127.0.0.1:7443)',
    )
    .option(
      '--config <file>',
      'palyra-node.yaml: which plugins run here (PALYRA_NODE_CONFIG); read again on SIGHUP',
    )
    .option('--state-dir <dir>', 'directory of keys, certificate and journal (PALYRA_NODE_STATE_DIR)')
    .option('--record-urls <file>', 'write the pages that are to be opened to a file instead of opening them')
    .option(
      '--passphrase-file <file>',
      'file with the passphrase that seals the keys of this machine (PALYRA_PASSPHRASE_FILE)',
    )
    .option('--drain <duration>', 'how long running capabilities have to end when the host stops', '10s')
    .option('--log-level <level>', 'debug, info, warn or error', 'warn')
    .option(
      '--service',
      'run as `palyra node install` has it run: nobody is asked anything, and what happens goes to the log of the state directory',
    )
    .option(
      '--json',
      'print what happens as one JSON object a line, and read answers to questions from standard input',
    );
  run.addHelpText(
    'after',
    examples(
      ["palyra node run 'palyra://join/…'", 'join the daemon that printed it, and stay connected'],
      [
        'palyra node run --pin palyra.example.org:7443',
        'the same with a PIN that `palyra pair --pin` showed',
      ],
      ['palyra node run', 'connect again as the node that this machine is'],
      ['palyra node run --json', 'for programs: answer a question with {"answer":"allow","dispatchId":"…"}'],
      ['palyra node answers list', 'what you have allowed for a while'],
    ),
  );
  run.action((join: string | undefined, flags: RunFlags) => runNode(join, flags, context));
}

async function runNode(join: string | undefined, flags: RunFlags, context: CliContext): Promise<void> {
  // A join string works once, but it is a secret until then: it must not stand in the list of processes (protocol.md 9).
  if (join !== undefined) process.title = 'palyra node run';
  const { defaultStateDirectory } = await import('../../adapters/os/state-directory.js');
  const stateDirectory = flags.stateDir ?? defaultStateDirectory('node', context.env);
  if (flags.service !== true) {
    const { jsonLog } = await import('../../adapters/telemetry/log.js');
    const terminal = { report: reporterFor(flags, context), log: jsonLog(flags.logLevel) };
    return runHost(join, flags, { context, stateDirectory, ...terminal });
  }
  const { openServiceOutput } = await import('../service/output.js');
  const service = openServiceOutput(stateDirectory, flags.logLevel, context);
  const { report, log } = service;
  try {
    await runHost(join, flags, { context, stateDirectory, report, log, service });
  } catch (thrown) {
    service.failed(thrown);
    throw thrown;
  } finally {
    service.close();
  }
}

interface Surroundings {
  readonly context: CliContext;
  readonly stateDirectory: string;
  readonly report: Reporter;
  readonly log: KernelLog;
  /** Left out for a host that a person has started. */
  readonly service?: ServiceOutput;
}

async function runHost(join: string | undefined, flags: RunFlags, around: Surroundings): Promise<void> {
  const { context, stateDirectory, report, log, service } = around;
  const { startNodeHost } = await import('../../node/node-host.js');
  const { systemOpener, recordingOpener } = await import('../../adapters/os/opener.js');
  const { onHangUp } = await import('../../adapters/os/hang-up.js');
  const { readNodeConfig } = await import('../../node/node-config.js');
  const readSource = () => readNodeConfig(flags.config, context.env);
  const pluginSource = readSource();
  const { takePassphrase } = await import('../../adapters/secrets/passphrase.js');
  const passphrase = await takePassphrase({
    file: flags.passphraseFile ?? (context.env.PALYRA_PASSPHRASE_FILE || undefined),
    env: context.env,
  });
  const invited = await readInvitation({ join, pin: flags.pin }, context);
  const isAlone = service !== undefined || invited?.readStdin === true;
  const over = new AbortController();
  let stop = (reason: string): void =>
    over.abort(cliError('interrupted', `Stopped by ${reason} before it was paired`));
  const endSignals = onSignals((signal) => stop(signal));
  let running: NodeHost | undefined;
  const endReloads = onHangUp(process, {
    // A host that is not paired yet has read it a moment ago.
    reload: () => running && void reload(running, readSource, report),
    gone: () => stop('its terminal was closed'),
  });
  try {
    const host = await startNodeHost(
      {
        stateDirectory,
        pluginSource,
        ...(invited === undefined ? {} : { invitation: invited.invitation }),
        services: flags.recordUrls === undefined ? systemOpener() : recordingOpener(flags.recordUrls),
        mediator: await mediatorFor(flags, context, report, isAlone),
        log,
        ...(passphrase === undefined ? {} : { passphrase }),
        report,
        drainMs: parseDuration(flags.drain, '--drain'),
        asService: service !== undefined,
      },
      over.signal,
    );
    stop = (reason) => {
      void service?.stopping();
      host.stop(reason).catch(() => undefined);
    };
    if (over.signal.aborted) stop('an early signal');
    service?.ready();
    running = host;
    await host.ended;
  } finally {
    endSignals();
    endReloads();
  }
}

/** Reads the configuration again; what is wrong with it is told, and nothing changes. */
async function reload(host: NodeHost, read: () => PluginSource, report: Reporter): Promise<void> {
  try {
    await host.plugins.reload(read());
  } catch (thrown) {
    report({ event: 'reload_refused', error: toAppError(thrown).toEnvelope() });
  }
}
