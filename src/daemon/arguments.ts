import { Command, CommanderError } from 'commander';
import { errorTable } from '../kernel/errors.js';
import { runtimeVersion } from '../plugins/runtime-version.js';

const usageError = errorTable('usage', { invalid: { category: 'validation', retryable: false } });

export interface DaemonArguments {
  readonly config?: string;
  readonly stateDir?: string;
  readonly httpPort?: string;
  readonly enrollPort?: string;
  readonly nodePort?: string;
  readonly logLevel?: string;
  readonly passphraseFile?: string;
  readonly json: boolean;
}

const examples = `
Examples:
  $ palyrad                                   start with palyra.yaml, or with the defaults when there is none
  $ palyrad --config ./palyra.yaml            start with this file
  $ palyrad --http-port 0 --enroll-port 0 --node-port 0 --json
                                              take free ports and print them as JSON
  $ palyrad --passphrase-file /etc/palyra/passphrase
                                              seal the CA key with a passphrase, or open it with that

State lives in $PALYRA_STATE_DIR, else $XDG_STATE_HOME/palyra/daemon, else ~/.local/state/palyra/daemon.
Exit codes: 0 stopped, 1 internal, 2 usage or configuration, 6 the state directory is in use or
damaged, or its passphrase is missing or wrong.`;

/**
 * Reads the command line of palyrad. `--help` and `--version` are printed through `write`, and then there is nothing to start.
 *
 * @throws AppError `usage.invalid` that names the option.
 */
export function parseArguments(
  argv: readonly string[],
  write: (text: string) => void,
): DaemonArguments | undefined {
  const program = new Command('palyrad')
    .description(
      'The Palyra daemon: enrols machines as nodes, keeps a session with each and runs capabilities on them.',
    )
    .version(runtimeVersion())
    .option(
      '--config <file>',
      'configuration file (default: $PALYRA_CONFIG, else palyra.yaml in the XDG config directory)',
    )
    .option('--state-dir <dir>', 'directory of keys, certificates and records (default: $PALYRA_STATE_DIR)')
    .option('--http-port <port>', 'port of the control plane; 0 takes a free one (default: 7142)')
    .option('--enroll-port <port>', 'port on which machines enrol (default: 7443)')
    .option('--node-port <port>', 'port of the nodes, with mTLS (default: 7444)')
    .option(
      '--passphrase-file <file>',
      'file with the passphrase that seals the keys at rest (default: $PALYRA_PASSPHRASE_FILE)',
    )
    .option('--log-level <level>', 'trace, debug, info, warn, error or fatal (default: info)')
    .option('--json', 'print the ready line as JSON', false)
    .addHelpText('after', examples)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => {} });
  try {
    program.parse(argv, { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return undefined;
    throw usageError('invalid', thrown.message.replace(/^error: /, ''), {
      hint: 'See palyrad --help.',
      cause: thrown,
    });
  }
  return program.opts<DaemonArguments>();
}
