import { type Command, Option } from 'commander';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';

interface UninstallFlags {
  readonly stateDir?: string;
  readonly passphraseFile?: string;
  readonly leave?: boolean;
  readonly reason?: string;
  readonly purge?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `palyra node uninstall`. */
export function registerNodeUninstall(node: Command, context: CliContext): void {
  node
    .command('uninstall')
    .description('end the service and take away what `palyra node install` has made; keys stay')
    .option('--state-dir <dir>', 'directory of the node host (PALYRA_NODE_STATE_DIR)')
    .option('--leave', 'also take this machine out of the daemon, for good')
    .addOption(new Option('--no-leave', 'do not, and do not ask'))
    .option('--reason <text>', 'why it leaves; the operator sees it', 'The service was uninstalled')
    .option('--purge', 'also delete the keys, the membership and the journal of this machine')
    .option('--passphrase-file <file>', 'file with the passphrase of the keys (PALYRA_PASSPHRASE_FILE)')
    .option('--yes', 'do not ask before --leave and --purge')
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      examples(
        ['palyra node uninstall', 'the machine stays a member: `palyra node install` brings it back'],
        ['palyra node uninstall --leave --purge', 'nothing of it is left, neither here nor in the daemon'],
      ),
    )
    .action((flags: UninstallFlags) => uninstallNode(flags, context));
}

async function uninstallNode(flags: UninstallFlags, context: CliContext): Promise<void> {
  const { stateDirectoryOf } = await import('../service/host-service.js');
  const { uninstallService } = await import('../service/uninstall.js');
  const passphraseFile = flags.passphraseFile ?? (context.env.PALYRA_PASSPHRASE_FILE || undefined);
  await uninstallService(
    {
      stateDirectory: stateDirectoryOf(flags, context),
      ...(passphraseFile === undefined ? {} : { passphraseFile }),
      leave: flags.leave,
      reason: flags.reason ?? '',
      purge: flags.purge === true,
      yes: flags.yes === true,
      json: flags.json === true,
    },
    context,
  );
}
