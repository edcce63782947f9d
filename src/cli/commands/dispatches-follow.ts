import type { Command } from 'commander';
import { shortDeviceId } from '../../actors/identity/device-id.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { printDispatch } from '../dispatch-text.js';
import { exitCodeOfDispatch } from '../exit-codes.js';
import { followToEnd } from '../follow-to-end.js';
import { examples } from '../help-text.js';

interface FollowFlags extends ConnectionFlags {
  readonly after?: string;
}

/** `palyra dispatches follow ID` */
export function registerDispatchesFollowCommand(dispatches: Command, context: CliContext): void {
  const follow = dispatches
    .command('follow')
    .description(
      'Print what a dispatch says as it goes on, a line for each progress value, then its end. Ctrl-C stops following; the dispatch goes on.',
    )
    .argument('<id>', 'the id of the dispatch')
    .option('--after <event>', 'go on after the event with that id, which --json prints')
    .addHelpText(
      'after',
      examples(
        ['palyra dispatches follow dp_01…', 'its progress, then what it returns'],
        ['palyra dispatches follow dp_01… --json', '{"event": "progress", "id": …, "data": …}, a line each'],
      ),
    );
  withConnection(follow).action(async (id: string, flags: FollowFlags) => {
    const client = await connect(flags, context);
    const { deviceId } = await client.getDispatch(id);
    const json = flags.json === true;
    const dispatch = await followToEnd(client, id, context, {
      json,
      node: shortDeviceId(deviceId),
      ...(flags.after === undefined ? {} : { after: flags.after }),
    });
    context.exitCode = exitCodeOfDispatch(dispatch.state);
    if (!json) printDispatch(context, dispatch);
  });
}
