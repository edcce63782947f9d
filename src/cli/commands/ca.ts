import type { Command } from 'commander';
import type { AuthorityStatus } from '../../contract/authority.js';
import { parseDuration } from '../../kernel/duration.js';
import { cliError } from '../cli-errors.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { colours, print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { tableText } from '../table.js';
import { relativeTime } from '../time-text.js';

interface RotateFlags extends ConnectionFlags {
  readonly overlap?: string;
  readonly now?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
}

interface ForgetFlags extends ConnectionFlags {
  readonly reason?: string;
  readonly yes?: boolean;
}

type Ca = AuthorityStatus['cas'][number];

/** `palyra ca show | rotate | forget` */
export function registerCaCommand(program: Command, context: CliContext): void {
  const ca = program
    .command('ca')
    .summary('look at the certificate authority of the daemon, and replace it')
    .description(
      'The certificate authority of the daemon: nodes know the daemon by it, and their certificates are of it.',
    )
    .addHelpText(
      'after',
      examples(
        ['palyra ca show', 'which there are, and whether nodes move from one to the next'],
        ['palyra ca rotate', 'begin to move to a new one; nobody is locked out'],
      ),
    );
  const show = ca
    .command('show')
    .description('Show the authorities and how far nodes have moved from one to the next.')
    .addHelpText('after', examples(['palyra ca show', 'a table'], ['palyra ca show --json', '{"cas": […]}']));
  withConnection(show).action(async (flags: ConnectionFlags) => {
    const client = await connect(flags, context);
    tell(context, flags, await client.authority());
  });
  const rotate = ca
    .command('rotate')
    .description(
      'Make a new authority. It issues from now on; both are trusted until every node has renewed its certificate, or the overlap is over.',
    )
    .option('--overlap <duration>', 'how long both are trusted at most; default: certificates.caOverlap')
    .option('--now', 'order every node to renew at once rather than when it is due')
    .option('--reason <text>', 'why; recorded')
    .option('--yes', 'do it without asking')
    .addHelpText(
      'after',
      examples(
        ['palyra ca rotate', 'asks, then begins'],
        ["palyra ca rotate --now --overlap 2d --reason 'its key may have been copied' --yes", 'in a hurry'],
      ),
    );
  withConnection(rotate).action((flags: RotateFlags) => rotateCa(flags, context));
  const forget = ca
    .command('forget')
    .description('Delete a retired authority. Nodes that know no other have to pair again.')
    .argument('<fingerprint>', 'the beginning of its fingerprint')
    .option('--reason <text>', 'why; recorded')
    .option('--yes', 'do it without asking')
    .addHelpText('after', examples(['palyra ca forget d805fbbd', 'asks, then deletes it']));
  withConnection(forget).action((fingerprint: string, flags: ForgetFlags) =>
    forgetCa(fingerprint, flags, context),
  );
}

async function rotateCa(flags: RotateFlags, context: CliContext): Promise<void> {
  const overlapMs = flags.overlap === undefined ? undefined : parseDuration(flags.overlap, '--overlap');
  if (!(await isConfirmed(flags, context, 'Make a new certificate authority?'))) return;
  const client = await connect(flags, context);
  const authority = await client.rotateAuthority({
    ...(overlapMs === undefined ? {} : { overlapMs }),
    ...(flags.now ? { now: true } : {}),
    ...(flags.reason === undefined ? {} : { reason: flags.reason }),
  });
  tell(context, flags, authority);
}

async function forgetCa(text: string, flags: ForgetFlags, context: CliContext): Promise<void> {
  const client = await connect(flags, context);
  const { cas } = await client.authority();
  const [found, ...more] = cas.filter(({ fingerprint }) => fingerprint.startsWith(text.toLowerCase()));
  if (!found || more.length > 0) {
    throw cliError('usage', `${more.length > 0 ? 'More than one' : 'No'} authority begins with '${text}'`, {
      hint: 'See which there are: palyra ca show',
    });
  }
  const { fingerprint, devices } = found;
  const loss =
    devices === 0
      ? 'No node uses it.'
      : `${devices} ${devices === 1 ? 'node knows' : 'nodes know'} no other and must pair again.`;
  const question = `Delete the authority ${fingerprint}? ${loss}`;
  if (!(await isConfirmed(flags, context, question))) return;
  const reason = flags.reason === undefined ? {} : { reason: flags.reason };
  tell(context, flags, await client.forgetAuthority({ fingerprint, ...reason }));
}

/** @throws AppError `cli.confirmation_needed` when there is nobody to ask. */
async function isConfirmed(
  { yes, json }: ForgetFlags,
  context: CliContext,
  question: string,
): Promise<boolean> {
  if (yes) return true;
  if (json || !context.interactive) {
    throw cliError('confirmation_needed', `Nobody can be asked: ${question}`, { hint: 'Add --yes.' });
  }
  if (await context.confirm(question)) return true;
  print(context, 'Nothing was changed.');
  return false;
}

function tell(context: CliContext, { json }: ConnectionFlags, authority: AuthorityStatus): void {
  if (json) {
    printJson(context, authority);
    return;
  }
  const now = context.clock.now();
  const table = tableText<Ca>(
    context,
    [
      { head: 'FINGERPRINT', text: ({ fingerprint }) => `${fingerprint.slice(0, 16)}…` },
      { head: 'STATE', text: ({ state }) => state, colour: ({ state }) => stateColours[state] },
      { head: 'NODES', text: ({ devices }) => String(devices) },
      { head: 'SINCE', text: ({ since }) => relativeTime(since, now) },
      { head: 'ENDS', text: ({ notAfter }) => relativeTime(notAfter, now) },
    ],
    authority.cas,
  );
  print(context, table, ...rotationText(context, authority, now));
}

const stateColours = { issuing: 'green', trusted: 'yellow', retired: 'dim' } as const;

function rotationText(context: CliContext, { rotation }: AuthorityStatus, now: number): readonly string[] {
  if (!rotation) return [];
  const { yellow } = colours(context.stdout, context.env);
  const { by, reason, startedAt, endsAt, behind, behindNames } = rotation;
  const why = reason === '' ? '' : `: ${printable(reason)}`;
  const names = behindNames.map(printable).join(', ');
  const rest = behind > behindNames.length ? ` and ${behind - behindNames.length} more` : '';
  return [
    '',
    `A rotation is under way, begun ${relativeTime(startedAt, now)} by ${printable(by)}${why}.`,
    behind === 0
      ? 'Every node has moved: the old authority is about to be retired.'
      : yellow(`${behind} ${behind === 1 ? 'node has' : 'nodes have'} not moved yet: ${names}${rest}.`),
    `The old authority is retired ${relativeTime(endsAt, now)} at the latest. Who has not moved by then comes back by itself.`,
  ];
}
