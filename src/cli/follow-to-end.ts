import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Dispatch } from '../contract/dispatch.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';
import { LiveLine } from './live-line.js';
import { liveText, progressText } from './live-progress.js';
import { note, print, printEvent } from './output.js';

export interface FollowToEnd {
  /** NDJSON: each event as the API gives it. */
  readonly json: boolean;
  /** What the node is called, for the live line. */
  readonly node: string;
  readonly signal?: AbortSignal;
  readonly after?: string;
}

/** Prints each progress value as a line as it comes, or with `json` each event, and gives the dispatch when it has ended. */
export async function followToEnd(
  client: ControlPlaneClient,
  id: string,
  context: CliContext,
  { json, node, ...options }: FollowToEnd,
): Promise<Dispatch> {
  const line = new LiveLine(context.stderr);
  try {
    for await (const event of client.followDispatch(id, options)) {
      line.clear();
      if (json) printEvent(context, event);
      else if (event.event === 'progress') print(context, progressText(event.data.value));
      else if (event.event === 'gap') note(context, `${event.data.missed} progress values were left out`);
      else if (event.event === 'step') line.show(liveText(event, node) ?? '');
      if (event.event === 'end') return event.data;
    }
  } finally {
    line.clear();
  }
  throw cliError('interrupted', `Stopped following ${id}`);
}
