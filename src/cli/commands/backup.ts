import type { Command } from 'commander';
import type { CreatedBackup } from '../../adapters/backup/create-backup.js';
import { cliError } from '../cli-errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { note, print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { sizeText } from '../size-text.js';

interface BackupFlags {
  readonly stateDir?: string;
  readonly config?: string;
  readonly passphraseFile?: string;
  readonly unencrypted?: boolean;
  readonly json?: boolean;
}

const what = `
A backup holds the CA with its key, all records, the revocations and palyra.yaml: whoever has it can become this
daemon. It is for palyrad on this machine, running or not, as the user that palyrad runs as. Nodes have no backup:
a second host with the keys of a node counts as a clone of it. Exit codes: 0 made and checked, 2 wrong arguments,
6 the file is there already or the directory is in use by another program, 7 there is no state.`;

/** `palyra backup FILE` */
export function registerBackupCommand(program: Command, context: CliContext): void {
  const command = program
    .command('backup')
    .summary('back up the state of palyrad, also while it runs')
    .description('Back up the state of palyrad on this machine to one file, also while it runs.')
    .argument('<file>', 'the archive to make; it must not exist')
    .option('--passphrase-file <file>', 'encrypt it with the passphrase in the first line of this file')
    .option('--unencrypted', 'write a plain tar instead, for a place that encrypts by itself')
    .option('--state-dir <dir>', 'the state directory of palyrad (PALYRA_STATE_DIR)')
    .option('--config <file>', 'the palyra.yaml to put in (PALYRA_CONFIG, else the one that palyrad finds)')
    .option('--json', 'print JSON, also for errors')
    .addHelpText(
      'after',
      examples(
        ['palyra backup /backup/palyra.2026-01-02 --passphrase-file ~/.palyra-backup', 'an encrypted backup'],
        [
          'palyra restore --check /backup/palyra.2026-01-02 --passphrase-file ~/.palyra-backup',
          'look at one',
        ],
        ['palyra backup palyra.tar --unencrypted && tar tf palyra.tar', 'a plain tar'],
      ),
    )
    .addHelpText('after', what);
  command.action((file: string, flags: BackupFlags) => backup(file, flags, context));
}

async function backup(file: string, flags: BackupFlags, context: CliContext): Promise<void> {
  const { createBackup } = await import('../../adapters/backup/create-backup.js');
  const { findConfigFile } = await import('../../adapters/os/config-path.js');
  const { defaultStateDirectory } = await import('../../adapters/os/state-directory.js');
  const { readPassphraseFile } = await import('../../adapters/secrets/passphrase.js');
  const { runtimeVersion } = await import('../../plugins/runtime-version.js');
  if ((flags.passphraseFile === undefined) === (flags.unencrypted !== true)) {
    throw cliError('usage', 'Say how the backup is protected: it holds the key of the CA', {
      hint: 'Give either --passphrase-file or --unencrypted',
    });
  }
  const configFile = findConfigFile(flags.config, context.env);
  const created = await createBackup({
    stateDirectory: flags.stateDir ?? defaultStateDirectory('daemon', context.env),
    file,
    ...(flags.passphraseFile === undefined
      ? {}
      : { passphrase: await readPassphraseFile(flags.passphraseFile) }),
    ...(configFile === undefined ? {} : { configFile }),
    version: runtimeVersion(),
    clock: context.clock,
  });
  const encrypted = flags.passphraseFile !== undefined;
  if (flags.json) printJson(context, { file, encrypted, ...created });
  else printCreated(context, file, encrypted, created);
}

function printCreated(
  context: CliContext,
  file: string,
  encrypted: boolean,
  { manifest, bytes, running }: CreatedBackup,
): void {
  print(context, printable(file));
  note(
    context,
    `${sizeText(bytes)}, ${encrypted ? 'encrypted' : 'in clear'}, written and read again.`,
    `Of the daemon with the CA ${manifest.authorities.at(-1)?.fingerprint.slice(0, 16)}…, ${running ? 'while it runs' : 'which is stopped'}.`,
    encrypted
      ? 'Keep its passphrase somewhere else: without it the backup is worth nothing.'
      : 'Whoever can read it can become this daemon.',
  );
}
