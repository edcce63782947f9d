import type { Command } from 'commander';
import { trustStates } from '../../contract/device-states.js';
import { cliError } from '../cli-errors.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { findDevice } from '../find-device.js';
import { examples } from '../help-text.js';
import { labelsOf } from '../labels.js';
import { print, printJson } from '../output.js';
import { labelsText } from '../pairing-text.js';
import { printable } from '../printable.js';

interface LabelFlags extends ConnectionFlags {
  readonly remove?: readonly string[];
  readonly reason?: string;
  readonly ifVersion?: number;
}

/** `palyra devices label` */
export function registerLabelCommand(
  devices: Command,
  context: CliContext,
  versionOption: readonly [flags: string, description: string, parse: (text: string) => number],
): void {
  const command = devices
    .command('label')
    .description(
      'Set labels of a device and remove others; those that are not named stay. What is granted by label counts by them at once: what runs by a grant that covers the device no longer is cancelled.',
    )
    .argument('<node>', 'its name, its id, or the beginning of its id')
    .argument('[labels...]', 'labels to set: name=value')
    .option('--remove <names...>', 'the names of labels to remove')
    .option('--reason <text>', 'why; recorded')
    .option(...versionOption)
    .addHelpText(
      'after',
      examples(
        ['palyra devices label build-7 role=edge site=berlin', 'sets these two; the others stay'],
        ['palyra devices label build-7 --remove site', 'what is granted for its site stops there'],
        ['palyra devices show build-7', 'the labels that it has'],
      ),
    );
  withConnection(command).action(
    async (
      node: string,
      texts: readonly string[],
      { remove = [], reason, ifVersion, ...flags }: LabelFlags,
    ) => {
      const set = labelsOf(texts);
      if (texts.length === 0 && remove.length === 0) throw nothingToDo();
      const client = await connect(flags, context);
      const { deviceId } = await findDevice(client, node, trustStates);
      const labelled = await client.labelDevice(deviceId, {
        labels: set,
        remove: [...remove],
        ...(reason === undefined ? {} : { reason }),
        ...(ifVersion === undefined ? {} : { version: ifVersion }),
      });
      if (flags.json) printJson(context, labelled);
      else {
        const labels = labelsText(labelled.labels) || 'no labels';
        print(context, printable(`${labelled.name} has ${labels} from now on.`));
      }
    },
  );
}

function nothingToDo() {
  return cliError('usage', 'No label is to be set or removed', {
    hint: 'Name one: palyra devices label build-7 role=edge, or --remove role',
  });
}
