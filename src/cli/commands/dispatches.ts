import type { Command } from 'commander';
import { shortDeviceId } from '../../actors/identity/device-id.js';
import type { ControlPlaneClient } from '../../client/control-plane-client.js';
import type { Dispatch } from '../../contract/dispatch.js';
import { AppError } from '../../kernel/errors.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { outcomeText } from '../dispatch-text.js';
import { examples } from '../help-text.js';
import { colours, print, printJson } from '../output.js';
import { printable, printableJson } from '../printable.js';
import { durationText, relativeTime } from '../time-text.js';
import { registerDispatchesCancelCommand } from './dispatches-cancel.js';
import { registerDispatchesFollowCommand } from './dispatches-follow.js';
import { registerDispatchesListCommand } from './dispatches-list.js';
import { registerDispatchesPruneCommand } from './dispatches-prune.js';
import { registerDispatchesRetryCommand } from './dispatches-retry.js';

/** `palyra dispatches list | show | follow | cancel | retry | prune` */
export function registerDispatchesCommand(program: Command, context: CliContext): void {
  const dispatches = program
    .command('dispatches')
    .summary('look at what was run and is under way, end it, or run it again')
    .description('What was run, where, for whom and how it ended; and how to end it or run it again.')
    .addHelpText(
      'after',
      examples(
        ['palyra dispatches list', 'the latest, with where and how they ended'],
        ['palyra dispatches show dp_01…', 'one dispatch with its steps'],
        ['palyra dispatches follow dp_01…', 'what one says while it runs, to its end'],
        ['palyra dispatches cancel dp_01…', 'end one that is under way'],
        ['palyra dispatches retry dp_01…', 'run the same again'],
      ),
    );
  registerDispatchesListCommand(dispatches, context);
  const show = dispatches
    .command('show')
    .description('Show one dispatch with its steps and its end.')
    .argument('<id>', 'the id of the dispatch')
    .addHelpText(
      'after',
      examples(
        ['palyra dispatches show dp_01…', 'what happened and when'],
        ['palyra dispatches show dp_01… --json', '{"id": …, "state": …, "steps": […]}'],
      ),
    );
  withConnection(show).action(async (id: string, flags: ConnectionFlags) => {
    const client = await connect(flags, context);
    const dispatch = await client.getDispatch(id);
    if (flags.json) printJson(context, dispatch);
    else print(context, ...dispatchText(context, dispatch, await nameOf(client, dispatch)));
  });
  registerDispatchesFollowCommand(dispatches, context);
  registerDispatchesCancelCommand(dispatches, context);
  registerDispatchesRetryCommand(dispatches, context);
  registerDispatchesPruneCommand(dispatches, context);
}

/** The name of its node, or the beginning of the id where nothing else is left. */
async function nameOf(client: ControlPlaneClient, { deviceId }: Dispatch): Promise<string> {
  try {
    return (await client.getDevice(deviceId)).name || shortDeviceId(deviceId);
  } catch (error) {
    if (error instanceof AppError && error.category === 'not_found') return shortDeviceId(deviceId);
    throw error;
  }
}

function dispatchText(context: CliContext, dispatch: Dispatch, node: string): readonly string[] {
  const paint = colours(context.stdout, context.env);
  const { bold, dim } = paint;
  const now = context.clock.now();
  const start = Date.parse(dispatch.createdAt);
  const { outcome, resolution } = dispatch;
  const rows = [
    ['Capability', printable(dispatch.capability)],
    ['Node', printable(node)],
    ['Asked by', `${printable(dispatch.caller)}, ${relativeTime(dispatch.createdAt, now)}`],
    ['May run for', durationText(dispatch.timeoutMs)],
    ...(dispatch.retryOf === undefined ? [] : [['Again from', printable(dispatch.retryOf)]]),
    ...(dispatch.idempotencyKey === undefined ? [] : [['Key', printable(dispatch.idempotencyKey)]]),
  ];
  return [
    `Dispatch ${bold(printable(dispatch.id))}, ${dispatch.state}`,
    '',
    ...rows.map(([name = '', text]) => `  ${name.padEnd(12)} ${text}`),
    '',
    ...dispatch.steps.map(({ at, to, by, note }) => {
      const after = `+${durationText(Date.parse(at) - start)}`.padStart(10);
      return `  ${dim(after)}  ${to}  ${dim(`by ${printable(by)}`)}${note === undefined ? '' : `  ${printable(note)}`}`;
    }),
    '',
    ...(outcome === undefined ? [] : outcomeText(paint, dispatch)),
    ...(outcome?.output === undefined ? [] : [printableJson(outcome.output, 2)]),
    ...(resolution === undefined ? [] : [`Later the node said: ${resolution.state}`]),
  ];
}
