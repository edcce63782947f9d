import type { Command } from 'commander';
import type { KernelLog } from '../../kernel/log.js';
import type { Secret } from '../../kernel/secret.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { print, printJson } from '../output.js';
import { printable } from '../printable.js';

interface PassphraseFlags {
  readonly node?: boolean;
  readonly stateDir?: string;
  readonly passphraseFile?: string;
  readonly json?: boolean;
}

interface SetFlags extends PassphraseFlags {
  readonly newPassphraseFile: string;
}

/** `palyra passphrase set | remove` */
export function registerPassphraseCommand(program: Command, context: CliContext): void {
  const passphrase = program
    .command('passphrase')
    .summary('seal the keys of this machine with a passphrase')
    .description(
      'Seal the private keys in a state directory of this machine with a passphrase, change it or take it away.\n' +
        'palyrad, or the node host, must not be running. From then on it needs the passphrase to start.',
    );
  const set = passphrase
    .command('set')
    .description('Seal the keys with a passphrase, or give them another one.')
    .requiredOption(
      '--new-passphrase-file <file>',
      'file of mode 0600 whose first line is the new passphrase',
    )
    .addHelpText(
      'after',
      examples(
        ['palyra passphrase set --new-passphrase-file /etc/palyra/passphrase', 'the keys of palyrad'],
        [
          'palyra passphrase set --passphrase-file old --new-passphrase-file new',
          'another passphrase; one file is replaced, so either the old or the new one holds',
        ],
        ['palyra passphrase set --node --new-passphrase-file p', 'the keys of the node host'],
      ),
    );
  withDirectory(set).action((flags: SetFlags) => setPassphrase(flags, context));
  const remove = passphrase
    .command('remove')
    .description('Write the keys in clear. Broken off, it can be done again.')
    .addHelpText(
      'after',
      examples(['palyra passphrase remove --passphrase-file /etc/palyra/passphrase', 'the keys of palyrad']),
    );
  withDirectory(remove).action((flags: PassphraseFlags) => removePassphrase(flags, context));
}

function withDirectory(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'file with the passphrase that holds now (PALYRA_PASSPHRASE_FILE)')
    .option('--state-dir <dir>', 'the state directory (PALYRA_STATE_DIR; with --node PALYRA_NODE_STATE_DIR)')
    .option('--node', 'the directory of the node host instead of that of palyrad')
    .option('--json', 'print JSON, also for errors');
}

async function setPassphrase(flags: SetFlags, context: CliContext): Promise<void> {
  const { readPassphraseFile } = await import('../../adapters/secrets/passphrase.js');
  const secrets = await import('../../adapters/secrets/secret-files.js');
  const next = await readPassphraseFile(flags.newPassphraseFile);
  await inDirectory(flags, context, 'sealed', (path, current) =>
    secrets.setPassphrase(path, current, next, quiet),
  );
}

async function removePassphrase(flags: PassphraseFlags, context: CliContext): Promise<void> {
  const secrets = await import('../../adapters/secrets/secret-files.js');
  await inDirectory(flags, context, 'clear', (path, current) =>
    secrets.removePassphrase(path, current, quiet),
  );
}

/** What happens is told as the result, not as a log. */
const quiet: Pick<KernelLog, 'info'> = { info: () => {} };

/** Holds the directory while it works, so that no program has its keys open. */
async function inDirectory(
  { node, stateDir, passphraseFile, json }: PassphraseFlags,
  context: CliContext,
  keys: 'sealed' | 'clear',
  work: (path: string, current: Secret<string> | undefined) => Promise<void>,
): Promise<void> {
  const { defaultStateDirectory, openStateDirectory } = await import('../../adapters/os/state-directory.js');
  const { takePassphrase } = await import('../../adapters/secrets/passphrase.js');
  const role = node ? 'node' : 'daemon';
  const current = await takePassphrase({
    file: passphraseFile ?? (context.env.PALYRA_PASSPHRASE_FILE || undefined),
    env: context.env,
  });
  const path = stateDir ?? defaultStateDirectory(role, context.env);
  const directory = await openStateDirectory(path, { program: 'palyra passphrase', mustExist: true });
  try {
    await work(directory.path, current);
  } finally {
    directory.release();
  }
  if (json) printJson(context, { stateDirectory: directory.path, keys });
  else if (keys === 'sealed') {
    print(
      context,
      `The keys in ${printable(directory.path)} are sealed. Keep the passphrase: without it they are lost.`,
    );
  } else print(context, `The keys in ${printable(directory.path)} lie in clear now.`);
}
