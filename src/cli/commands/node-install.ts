import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { parseDuration } from '../../kernel/duration.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';

interface InstallFlags {
  readonly pin?: string | true;
  readonly config?: string;
  readonly stateDir?: string;
  readonly passphraseFile?: string;
  readonly recordUrls?: string;
  readonly drain: string;
  readonly logLevel: string;
  readonly manager?: 'systemd' | 'launchd' | 'detached';
  readonly timeout: string;
  readonly json?: boolean;
}

/** `palyra node install`. */
export function registerNodeInstall(node: Command, context: CliContext): void {
  node
    .command('install')
    .description('pair this machine if it is not, and have the node host run as a service of this user')
    .argument('[join]', "what `palyra pair` printed; '-' reads it from standard input")
    .option('--pin [host:port]', 'join with a PIN, as `palyra node run --pin` does')
    .option(
      '--config <file>',
      'palyra-node.yaml (PALYRA_NODE_CONFIG); made with all defaults where there is none',
    )
    .option('--state-dir <dir>', 'directory of keys, certificate, journal and log (PALYRA_NODE_STATE_DIR)')
    .option('--passphrase-file <file>', 'file with the passphrase of the keys (PALYRA_PASSPHRASE_FILE)')
    .option('--record-urls <file>', 'write the pages that are to be opened to a file instead of opening them')
    .option('--drain <duration>', 'how long running capabilities have to end when the host stops', '10s')
    .addOption(
      new Option('--log-level <level>', 'what parts of the host log beside what happens')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('warn'),
    )
    .addOption(
      new Option(
        '--manager <kind>',
        'who keeps it running; default: systemd or launchd where they answer, else a detached process',
      ).choices(['systemd', 'launchd', 'detached']),
    )
    .option('--timeout <duration>', 'how long to wait for the session', '30s')
    .option('--json', 'print each step as one JSON object a line, the last one with all that was done')
    .addHelpText(
      'after',
      examples(
        [
          "palyra node install 'palyra://join/…'",
          'join the daemon that printed it, and stay joined from now on',
        ],
        ['palyra node install', 'the same again changes nothing; after an update it writes the service anew'],
        ['palyra node install --manager detached', 'without systemd: until the machine is switched off'],
      ),
    )
    .action((join: string | undefined, flags: InstallFlags) => installNode(join, flags, context));
}

async function installNode(
  join: string | undefined,
  flags: InstallFlags,
  context: CliContext,
): Promise<void> {
  // As in `palyra node run`.
  if (join !== undefined) process.title = 'palyra node install';
  const { stateDirectoryOf } = await import('../service/host-service.js');
  const { installService } = await import('../service/install.js');
  const passphraseFile = flags.passphraseFile ?? (context.env.PALYRA_PASSPHRASE_FILE || undefined);
  await installService(
    {
      join,
      pin: flags.pin,
      stateDirectory: stateDirectoryOf(flags, context),
      ...(flags.config === undefined ? {} : { config: flags.config }),
      ...(passphraseFile === undefined ? {} : { passphraseFile: resolve(passphraseFile) }),
      ...(flags.recordUrls === undefined ? {} : { recordUrls: resolve(flags.recordUrls) }),
      drainMs: parseDuration(flags.drain, '--drain'),
      logLevel: flags.logLevel,
      ...(flags.manager === undefined ? {} : { manager: flags.manager }),
      timeoutMs: parseDuration(flags.timeout, '--timeout'),
      json: flags.json === true,
    },
    context,
  );
}
