import { Argument, type Command } from 'commander';
import { type CloneAction, cloneActions, trustStates } from '../../contract/device-states.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { type CloneFlags, decideClone } from '../decide-clone.js';
import { findDevice } from '../find-device.js';
import { examples } from '../help-text.js';

/** `palyra devices clone` */
export function registerCloneCommand(
  devices: Command,
  context: CliContext,
  versionOption: readonly [flags: string, description: string, parse: (text: string) => number],
): void {
  const command = devices
    .command('clone')
    .description(
      'Say which of two hosts with one identity is the device. Another host shows up as an alert: a clone, or the device itself restored from a copy.',
    )
    .argument('<node>', 'its name, its id, or the beginning of its id')
    .addArgument(
      new Argument(
        '<decision>',
        'replace: the other host becomes the device; reject: it stays out; allow: it is let in once, and nobody is turned away',
      ).choices(cloneActions),
    )
    .requiredOption('--reason <text>', 'why; recorded, and told to the host that is turned away')
    .option('--clone <id>', 'which one, when several have come')
    .option(...versionOption)
    .option('--yes', 'decide without asking')
    .addHelpText(
      'after',
      examples(
        ['palyra devices show build-7', 'who has come, from where, and how often'],
        [
          "palyra devices clone build-7 reject --reason 'a copy of its disk'",
          'the one that was there goes on',
        ],
        ["palyra devices clone build-7 replace --reason 'new hardware'", 'the other one takes over'],
        ["palyra devices clone build-7 allow --reason 'restored from a backup'", 'it is the same machine'],
      ),
    );
  withConnection(command).action(
    async (node: string, action: CloneAction, flags: ConnectionFlags & CloneFlags) => {
      const client = await connect(flags, context);
      await decideClone(client, context, await findDevice(client, node, trustStates), action, flags);
    },
  );
}
