import { type Command, Option } from 'commander';
import { shortDeviceId } from '../../actors/identity/device-id.js';
import type { ControlPlaneClient } from '../../client/control-plane-client.js';
import type { PairingCode, PinPairing } from '../../contract/pairing-code.js';
import { type PairingCodeState, pairingCodeStates } from '../../contract/pairing-code-states.js';
import { cliError } from '../cli-errors.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { colours, note, print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { tableText } from '../table.js';
import { relativeTime } from '../time-text.js';

interface ListFlags extends ConnectionFlags {
  readonly state?: readonly PairingCodeState[];
  readonly all?: boolean;
}

interface DecisionFlags extends ConnectionFlags {
  readonly reason?: string;
  readonly yes?: boolean;
}

const waiting: readonly PairingCodeState[] = ['live', 'bound'];
const shortestId = 4;

/** `palyra pair list | cancel | unlock` */
export function registerCodeCommands(pair: Command, context: CliContext): void {
  const list = pair
    .command('list')
    .description(
      'List codes, the newest first, without what could be used of them; those that ended only when asked for.',
    )
    .addOption(new Option('--state <states...>', 'only these states').choices(pairingCodeStates))
    .option('--all', 'in any state')
    .addHelpText(
      'after',
      examples(
        ['palyra pair list', 'the codes that live, and from where wrong proofs came'],
        ['palyra pair list --state exhausted', 'those that wrong proofs have ended'],
        ['palyra pair list --all --json', '{"codes": […], "pins": {"locked": false, …}}'],
      ),
    );
  withConnection(list).action((flags: ListFlags) => listCodes(flags, context));
  const cancel = pair
    .command('cancel')
    .description('End a code. A request that it has led to stays.')
    .argument('<id>', 'the id of the code or its beginning')
    .option('--reason <text>', 'why; recorded')
    .addHelpText(
      'after',
      examples([
        "palyra pair cancel pc_01m85 --reason 'sent to the wrong person'",
        'it lets nobody in any more',
      ]),
    );
  withConnection(cancel).action((id: string, flags: DecisionFlags) => cancelCode(id, flags, context));
  const unlock = pair
    .command('unlock')
    .description('Let PINs pair again after twenty wrong ones within a day, and start their count anew.')
    .option('--reason <text>', 'why; recorded')
    .option('--yes', 'without asking')
    .addHelpText('after', examples(['palyra pair unlock', 'shows from where the wrong PINs came, and asks']));
  withConnection(unlock).action((flags: DecisionFlags) => unlockPins(flags, context));
}

async function listCodes(flags: ListFlags, context: CliContext): Promise<void> {
  const client = await connect(flags, context);
  const state = flags.state ?? (flags.all ? undefined : waiting);
  const [found, pins] = await Promise.all([allCodes(client, state), client.pinPairing()]);
  if (flags.json) {
    printJson(context, { codes: found, pins });
    return;
  }
  if (found.length > 0) print(context, codeTable(context, found));
  else print(context, flags.all ? 'No code was ever made.' : 'No code lives. Make one with: palyra pair');
  if (pins.locked) note(context, ...lockText(context, pins));
}

function codeTable(context: CliContext, codes: readonly PairingCode[]): string {
  const now = context.clock.now();
  return tableText<PairingCode>(
    context,
    [
      { head: 'METHOD', text: ({ method, slot }) => (slot === undefined ? method : `${method} ${slot}-…`) },
      { head: 'STATE', text: ({ state }) => state, colour: stateColour },
      {
        head: 'FOR',
        text: ({ boundTo, purpose }) => (boundTo ? shortDeviceId(boundTo) : purpose || '-'),
        elastic: true,
      },
      {
        head: 'WRONG PROOFS',
        text: ({ wrongProofs }) => (wrongProofs.length === 0 ? '-' : placesText(wrongProofs)),
        colour: ({ wrongProofs }) => (wrongProofs.length > 0 ? 'yellow' : undefined),
        elastic: true,
      },
      {
        head: 'ENDS',
        text: ({ state, expiresAt, updatedAt }) =>
          relativeTime(waiting.includes(state) ? expiresAt : updatedAt, now),
      },
      { head: 'WHY', text: ({ endReason }) => endReason || '-', elastic: true },
      { head: 'BY', text: ({ mintedBy }) => mintedBy, elastic: true },
      { head: 'ID', text: ({ id }) => id, elastic: true },
    ],
    codes,
  );
}

async function cancelCode(text: string, flags: DecisionFlags, context: CliContext): Promise<void> {
  const client = await connect(flags, context);
  const { id } = await findCode(client, text);
  const cancelled = await client.cancelPairingCode(id, reasonOf(flags));
  if (flags.json) {
    printJson(context, cancelled);
    return;
  }
  print(context, `Code ${id} lets nobody in any more.`);
  const { pairingId } = cancelled;
  if (pairingId) {
    print(context, `A machine has used it before. Its request stays: palyra pairings cancel ${pairingId}`);
  }
}

async function unlockPins(flags: DecisionFlags, context: CliContext): Promise<void> {
  const client = await connect(flags, context);
  const pins = await client.pinPairing();
  const mayAsk = context.interactive && !flags.json;
  if (!flags.yes && !mayAsk) {
    throw cliError('confirmation_needed', 'Nobody can be asked whether to unlock PIN pairing', {
      hint: 'Look at where the wrong PINs came from (palyra pair list --json), then add --yes.',
    });
  }
  if (!flags.json)
    print(context, ...(pins.locked ? lockText(context, pins) : ['PIN pairing is not locked.']));
  if (!flags.yes && !(await context.confirm('Let PINs pair again, and start their count anew?'))) {
    print(context, 'Nothing was changed.');
    return;
  }
  const unlocked = await client.unlockPinPairing(reasonOf(flags));
  if (flags.json) printJson(context, unlocked);
  else print(context, 'PINs pair again.');
}

/** The code that a person means by its id or the beginning of it. */
async function findCode(client: ControlPlaneClient, text: string): Promise<PairingCode> {
  const start = text.toLowerCase().replace(/^pc_/, '');
  if (start.length < shortestId) {
    throw cliError('usage', `'${text}' is too short to name a code`, {
      hint: `Give at least ${shortestId} characters after pc_.`,
    });
  }
  const matches = (await allCodes(client)).filter(({ id }) => id.startsWith(`pc_${start}`));
  const alive = matches.filter(({ state }) => waiting.includes(state));
  const [found, second] = alive.length > 0 ? alive : matches;
  if (found === undefined) {
    throw cliError('not_found', `No code has an id that begins with '${text}'`, {
      hint: 'See which there are: palyra pair list --all',
    });
  }
  if (second === undefined) return found;
  throw cliError('ambiguous', `'${text}' may be ${found.id} or ${second.id}`, {
    hint: 'Give more of the id.',
  });
}

async function allCodes(
  client: ControlPlaneClient,
  state?: readonly PairingCodeState[],
): Promise<readonly PairingCode[]> {
  const found: PairingCode[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listPairingCodes({
      limit: 500,
      ...(state === undefined ? {} : { state }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.codes);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

function lockText(context: CliContext, { wrongProofs, lockedAt }: PinPairing): readonly string[] {
  const { yellow } = colours(context.stderr, context.env);
  const when = lockedAt === undefined ? '' : ` ${relativeTime(lockedAt, context.clock.now())}`;
  return [
    yellow(
      `PIN pairing was locked${when}, after ${wrongProofs.length} wrong PINs, ${placesText(wrongProofs)}.`,
    ),
    'Join strings work all the same. To let PINs pair again: palyra pair unlock',
  ];
}

/** Addresses with how many came from each, the most first. */
function placesText(proofs: readonly { readonly address: string }[]): string {
  const counts = new Map<string, number>();
  for (const { address } of proofs) counts.set(address, (counts.get(address) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([address, count]) => `${count} from ${printable(address)}`)
    .join(', ');
}

function reasonOf({ reason }: DecisionFlags): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

function stateColour({ state }: PairingCode): 'green' | 'yellow' | 'red' | 'dim' | undefined {
  if (state === 'live') return 'green';
  if (state === 'bound') return 'yellow';
  return state === 'exhausted' ? 'red' : 'dim';
}
