import { type Command, Option } from 'commander';
import { shortDeviceId } from '../../actors/identity/device-id.js';
import type { Pairing } from '../../contract/pairing.js';
import { type PairingState, pairingStates } from '../../contract/pairing-states.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { type DecisionFlags, decidePairing } from '../decide-pairing.js';
import { allPairings, findPairing } from '../find-pairing.js';
import { examples } from '../help-text.js';
import { print, printJson } from '../output.js';
import { tableText } from '../table.js';
import { relativeTime } from '../time-text.js';

interface ListFlags extends ConnectionFlags {
  readonly state?: readonly PairingState[];
  readonly all?: boolean;
}

const open: readonly PairingState[] = ['proving', 'pending_approval', 'approved'];

/** `palyra pairings list | approve | reject | cancel` */
export function registerPairingsCommand(program: Command, context: CliContext): void {
  const pairings = program
    .command('pairings')
    .summary('list, approve, reject and cancel requests to join')
    .description('Requests of machines to join.')
    .addHelpText(
      'after',
      examples(
        ['palyra pairings list', 'what waits for a decision'],
        ['palyra pairings approve MFZWI3D', 'look at the request of that device and let it join'],
      ),
    );
  const list = pairings
    .command('list')
    .description('List requests, the newest first; those that are over only when asked for.')
    .addOption(new Option('--state <states...>', 'only these states').choices(pairingStates))
    .option('--all', 'in any state')
    .addHelpText(
      'after',
      examples(
        ['palyra pairings list', 'what waits for a decision'],
        ['palyra pairings list --state rejected expired', 'what came to nothing'],
        ['palyra pairings list --all --json', '{"pairings": […]}'],
      ),
    );
  withConnection(list).action((flags: ListFlags) => listPairings(flags, context));
  addDecision(pairings, context, 'approve');
  addDecision(pairings, context, 'reject');
  const cancel = pairings
    .command('cancel')
    .description('Take a request back that is not decided. The machine may ask again.')
    .argument('<id>', 'the beginning of the id of the request, or of the device id')
    .option('--reason <text>', 'why; recorded, and shown at the machine')
    .addHelpText(
      'after',
      examples([
        `palyra pairings cancel MFZWI3D --reason 'invited by mistake'`,
        'nobody has to decide on it',
      ]),
    );
  withConnection(cancel).action(async (id: string, flags: ConnectionFlags & DecisionFlags) => {
    const client = await connect(flags, context);
    const cancelled = await client.cancelPairing((await findPairing(client, id)).id, flags.reason);
    if (flags.json) printJson(context, cancelled);
    else print(context, `The request ${cancelled.id} is cancelled. Its code: palyra pair list`);
  });
}

function addDecision(pairings: Command, context: CliContext, verb: 'approve' | 'reject'): void {
  const command = pairings
    .command(verb)
    .description(
      verb === 'approve'
        ? 'Let a machine join, with the capabilities that its request shows.'
        : 'Refuse a machine. It may ask again with a new join string.',
    )
    .argument('<id>', 'the beginning of the id of the request, or of the device id')
    .option('--reason <text>', 'why; recorded with the decision')
    .option('--yes', 'decide without asking')
    .addHelpText(
      'after',
      examples(
        [`palyra pairings ${verb} MFZWI3D`, 'shows the request and asks'],
        [
          `palyra pairings ${verb} MFZWI3D --yes --reason 'ticket 812' --json`,
          'for a script that has compared the words',
        ],
      ),
    );
  if (verb === 'approve') command.option('--name <name>', 'the name of the node; default: what it proposes');
  withConnection(command).action(async (id: string, flags: ConnectionFlags & DecisionFlags) => {
    const client = await connect(flags, context);
    await decidePairing(client, context, await findPairing(client, id), verb, flags);
  });
}

async function listPairings(flags: ListFlags, context: CliContext): Promise<void> {
  const client = await connect(flags, context);
  const state = flags.state ?? (flags.all ? undefined : open);
  const pairings = await allPairings(client, state);
  if (flags.json) {
    printJson(context, { pairings });
    return;
  }
  if (pairings.length === 0) {
    print(
      context,
      flags.all ? 'No machine has asked to join.' : 'No request waits. Invite a machine with: palyra pair',
    );
    return;
  }
  const now = context.clock.now();
  const table = tableText<Pairing>(
    context,
    [
      { head: 'DEVICE', text: ({ deviceId }) => shortDeviceId(deviceId) },
      { head: 'STATE', text: ({ state }) => state, colour: stateColour },
      { head: 'NAME', text: ({ decision, proposedName }) => decision?.name ?? proposedName, elastic: true },
      { head: 'FROM', text: ({ peerAddress }) => peerAddress },
      { head: 'WORDS', text: ({ fingerprintWords }) => fingerprintWords.join(' '), elastic: true },
      { head: 'ASKED', text: ({ createdAt }) => relativeTime(createdAt, now) },
      { head: 'ID', text: ({ id }) => id, elastic: true },
    ],
    pairings,
  );
  print(context, table);
}

function stateColour({ state }: Pairing): 'green' | 'yellow' | 'red' | 'dim' | undefined {
  if (state === 'pending_approval') return 'yellow';
  if (state === 'completed' || state === 'approved') return 'green';
  return state === 'rejected' ? 'red' : 'dim';
}
