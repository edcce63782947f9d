import { type Command, Option } from 'commander';
import type { Surface } from '../../contract/surface.js';
import { type SurfaceAction, type SurfaceState, surfaceStates } from '../../contract/surface-states.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { decideSurfaces, type SurfaceDecisionFlags } from '../decide-surface.js';
import { findDevice } from '../find-device.js';
import { allSurfaces, findSurfaces } from '../find-surfaces.js';
import { type Examples, examples } from '../help-text.js';
import { print, printJson } from '../output.js';
import { surfaceColours, surfaceText, verdictText } from '../surface-text.js';
import { tableText } from '../table.js';
import { registerGrantCommands } from './surfaces-grants.js';

interface ListFlags extends ConnectionFlags {
  readonly state?: readonly SurfaceState[];
  readonly all?: boolean;
  readonly node?: string;
}

const subject = 'a node, by name or the beginning of its id; or one capability of it, as NODE:CAPABILITY';

/** `palyra surfaces list | show | approve | reject | revoke | grant | grants | withdraw` */
export function registerSurfacesCommand(program: Command, context: CliContext): void {
  const surfaces = program
    .command('surfaces')
    .summary('decide what may be called on which machine')
    .description(
      'What machines offer to run. A capability is data until it is approved for its machine; a changed one that asks for no more than what was approved is covered by that.',
    )
    .addHelpText(
      'after',
      examples(
        ['palyra surfaces list', 'what waits for a decision, and how it differs'],
        ['palyra surfaces show build-7:system.health', 'one capability, change by change'],
        ['palyra surfaces approve build-7:system.health', 'look at it and let it be called'],
        ["palyra surfaces revoke build-7:desktop.open_url --reason 'not here'", 'take it off that machine'],
      ),
    );
  const list = surfaces
    .command('list')
    .description('List what waits for a decision; the rest only when asked for.')
    .addOption(new Option('--state <states...>', 'only these states').choices(surfaceStates))
    .option('--all', 'in any state')
    .option('--node <node>', 'only what that machine offers')
    .addHelpText(
      'after',
      examples(
        ['palyra surfaces list', 'what waits for a decision'],
        ['palyra surfaces list --node build-7 --all', 'everything that one machine offers'],
        ['palyra surfaces list --json', '{"surfaces": […]}'],
      ),
    );
  withConnection(list).action((flags: ListFlags) => listSurfaces(flags, context));
  const show = surfaces
    .command('show')
    .description('Show what a machine offers, and each way in which it differs from what was approved.')
    .argument('<surface>', subject)
    .addHelpText(
      'after',
      examples(
        ['palyra surfaces show build-7', 'all that it offers'],
        ['palyra surfaces show build-7:system.health --json', 'with the descriptors now and before'],
      ),
    );
  withConnection(show).action(async (text: string, flags: ConnectionFlags) => {
    const client = await connect(flags, context);
    const found = await findSurfaces(client, text);
    if (!flags.json) {
      print(context, ...found.flatMap((one) => ['', ...surfaceText(context, one)]).slice(1));
      return;
    }
    const details = [];
    for (const { deviceId, capability } of found) details.push(await client.getSurface(deviceId, capability));
    printJson(context, { surfaces: details });
  });
  registerGrantCommands(surfaces, context);
  for (const action of Object.keys(decisions) as SurfaceAction[]) addDecision(surfaces, context, action);
}

const decisions: Readonly<
  Record<
    SurfaceAction,
    { readonly description: string; readonly of: readonly SurfaceState[]; readonly examples: Examples }
  >
> = {
  approve: {
    description:
      'Let a capability be called on a machine, in the version that is shown. It counts at once, for the session that the machine has.',
    of: ['pending'],
    examples: [
      ['palyra surfaces approve build-7', 'all that waits on that machine, one after the other'],
      ['palyra surfaces approve build-7:system.health --yes --json', 'for a script'],
    ],
  },
  reject: {
    description: 'Refuse a version of a capability. Another version of it is asked about again.',
    of: ['pending'],
    examples: [
      ["palyra surfaces reject build-7:system.health --reason 'asks for too much'", 'shows it and asks'],
    ],
  },
  revoke: {
    description:
      'Take a capability off a machine, in every version, until it is approved again. What runs of it there is cancelled.',
    of: ['approved'],
    examples: [["palyra surfaces revoke build-7:desktop.open_url --reason 'not here'", 'shows it and asks']],
  },
};

function addDecision(surfaces: Command, context: CliContext, action: SurfaceAction): void {
  const { description, of, examples: shown } = decisions[action];
  const command = surfaces
    .command(action)
    .description(description)
    .argument('<surface>', subject)
    .option('--reason <text>', 'why; recorded with the decision')
    .option('--yes', 'decide without asking')
    .addHelpText('after', examples(...shown));
  withConnection(command).action(async (text: string, flags: ConnectionFlags & SurfaceDecisionFlags) => {
    const client = await connect(flags, context);
    await decideSurfaces(client, context, await findSurfaces(client, text, of), action, flags);
  });
}

async function listSurfaces(flags: ListFlags, context: CliContext): Promise<void> {
  const client = await connect(flags, context);
  const state = flags.state ?? (flags.all ? undefined : (['pending'] as const));
  const node = flags.node === undefined ? undefined : await findDevice(client, flags.node);
  const found = await allSurfaces(client, {
    ...(state === undefined ? {} : { state }),
    ...(node === undefined ? {} : { deviceId: node.deviceId }),
  });
  if (flags.json) {
    printJson(context, { surfaces: found });
    return;
  }
  if (found.length === 0) {
    print(context, 'Nothing is there. See all that machines offer: palyra surfaces list --all');
    return;
  }
  const table = tableText<Surface>(
    context,
    [
      { head: 'NODE', text: ({ node: name }) => name, elastic: true },
      { head: 'CAPABILITY', text: ({ capability }) => capability, elastic: true },
      { head: 'STATE', text: (one) => one.state, colour: (one) => surfaceColours[one.state] },
      { head: 'PLUGIN', text: ({ plugin, pluginVersion }) => `${plugin} ${pluginVersion}`, elastic: true },
      { head: 'COMPARED', text: (one) => one.changes[0]?.sentence ?? verdictText(one), elastic: true },
    ],
    found,
  );
  print(context, table);
}
