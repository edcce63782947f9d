import type { Command } from 'commander';
import type { Grant } from '../../contract/grant.js';
import { cliError } from '../cli-errors.js';
import { confirmed, requireSomebody } from '../confirmed.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { findSurfaces } from '../find-surfaces.js';
import { examples } from '../help-text.js';
import { addLabel } from '../labels.js';
import { colours, print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { surfaceText } from '../surface-text.js';
import { tableText } from '../table.js';
import { relativeTime } from '../time-text.js';

interface DecisionFlags extends ConnectionFlags {
  readonly reason?: string;
  readonly yes?: boolean;
}

interface GrantFlags extends DecisionFlags {
  readonly label: Readonly<Record<string, string>>;
}

/** `palyra surfaces grant | grants | withdraw`: approvals by label. */
export function registerGrantCommands(surfaces: Command, context: CliContext): void {
  const grant = surfaces
    .command('grant')
    .description(
      'Let a capability be called on every machine that has all of these labels, now or later, in the version that this machine offers. Labels are what operators gave, with a pairing or with `palyra devices label`; what a machine says of itself is none.',
    )
    .argument('<surface>', 'the capability as one machine offers it: NODE:CAPABILITY')
    .option('--label <name=value>', 'a label that the machines have; may be repeated', addLabel, {})
    .option('--reason <text>', 'why; recorded with the grant')
    .option('--yes', 'decide without asking')
    .addHelpText(
      'after',
      examples(
        [
          'palyra surfaces grant build-7:system.health --label role=build',
          'looks at it on build-7, grants it to all such',
        ],
        [
          'palyra surfaces grant build-7:printer.print --label site=berlin --label floor=2 --yes',
          'both labels are needed',
        ],
      ),
    );
  withConnection(grant).action((text: string, flags: GrantFlags) => grantSurface(text, flags, context));
  const list = surfaces
    .command('grants')
    .description('List what is granted by label, and what was withdrawn.')
    .addHelpText(
      'after',
      examples(['palyra surfaces grants', 'a table'], ['palyra surfaces grants --json', '{"grants": […]}']),
    );
  withConnection(list).action(async (flags: ConnectionFlags) => {
    const { grants } = await (await connect(flags, context)).listGrants();
    if (flags.json) printJson(context, { grants });
    else if (grants.length === 0) print(context, 'Nothing is granted by label.');
    else print(context, grantTable(grants, context));
  });
  const withdraw = surfaces
    .command('withdraw')
    .description(
      'Take a grant back, for good. What runs by it alone is cancelled; what was approved for one machine stays.',
    )
    .argument('<grant>', 'its id')
    .option('--reason <text>', 'why; recorded')
    .option('--yes', 'do it without asking')
    .addHelpText('after', examples(['palyra surfaces withdraw gr_01kdy…', 'asks, then takes it back']));
  withConnection(withdraw).action(async (id: string, flags: DecisionFlags) => {
    requireSomebody(context, 'take this grant back', flags);
    if (!(await confirmed(context, `Take grant ${printable(id)} back?`, flags))) return;
    const client = await connect(flags, context);
    const withdrawn = await client.withdrawGrant(id, flags.reason);
    tell(withdrawn, 'is not granted any more', flags, context);
  });
}

async function grantSurface(text: string, flags: GrantFlags, context: CliContext): Promise<void> {
  const labels = flags.label;
  if (Object.keys(labels).length === 0) {
    throw cliError('usage', 'A grant needs at least one --label', {
      hint: 'To approve for one machine: palyra surfaces approve NODE:CAPABILITY',
    });
  }
  requireSomebody(context, 'grant this', flags);
  const client = await connect(flags, context);
  const [surface, second] = await findSurfaces(client, text);
  if (surface === undefined || second !== undefined) {
    throw cliError('usage', `'${printable(text)}' is not one capability`, {
      hint: 'Name it as NODE:CAPABILITY; see palyra surfaces list --all',
    });
  }
  if (!flags.json) print(context, ...surfaceText(context, surface), '');
  const question = `Grant ${printable(surface.capability)} to every machine with ${labelText(labels)}?`;
  if (!(await confirmed(context, question, flags))) return;
  const { deviceId, capability, digest, buildDigest } = surface;
  const seen = { deviceId, capability, digest, buildDigest, labels };
  const reason = flags.reason === undefined ? {} : { reason: flags.reason };
  tell(await client.createGrant({ ...seen, ...reason }), 'is granted', flags, context);
}

function tell(grant: Grant, what: string, flags: ConnectionFlags, context: CliContext): void {
  if (flags.json) {
    printJson(context, grant);
    return;
  }
  const { green } = colours(context.stdout, context.env);
  const to = `to machines with ${labelText(grant.labels)}`;
  print(context, `${green('✓')} ${printable(grant.capability)} ${what} ${to} (${grant.id}).`);
}

function labelText(labels: Grant['labels']): string {
  return printable(
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(', '),
  );
}

function grantTable(grants: readonly Grant[], context: CliContext): string {
  const now = context.clock.now();
  return tableText<Grant>(
    context,
    [
      { head: 'GRANT', text: ({ id }) => id },
      {
        head: 'STATE',
        text: ({ state }) => state,
        colour: ({ state }) => (state === 'standing' ? 'green' : 'dim'),
      },
      { head: 'CAPABILITY', text: ({ capability }) => capability, elastic: true },
      { head: 'LABELS', text: ({ labels }) => labelText(labels), elastic: true },
      { head: 'DIGEST', text: ({ digest }) => digest.slice(0, 12) },
      { head: 'BY', text: ({ by }) => by, elastic: true },
      { head: 'SINCE', text: ({ updatedAt }) => relativeTime(updatedAt, now) },
    ],
    grants,
  );
}
