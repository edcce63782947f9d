import { abortable } from '../client/abortable.js';
import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { DispatchEvent } from '../contract/dispatch-events.js';
import { type CliContext, pause } from './context.js';
import type { LiveLine } from './live-line.js';
import { printable, printableJson } from './printable.js';

/** What ends sooner is not worth a line: milliseconds. */
const quietMs = 300;
/** How often it is looked for, each time after twice as long. */
const mostLooks = 6;

export interface LiveProgressOptions {
  readonly client: ControlPlaneClient;
  readonly context: CliContext;
  readonly line: LiveLine;
  /** The node, as the person called it. */
  readonly node: string;
  /** The id of the dispatch, once it has one. */
  find(signal: AbortSignal): Promise<string | undefined>;
  /** Ends it, and takes the line away. */
  readonly signal: AbortSignal;
}

/** Shows how a dispatch stands, and its latest progress, in the last line of a terminal, while its end is awaited elsewhere. */
export async function showProgress(options: LiveProgressOptions): Promise<void> {
  const { client, context, line, node, signal } = options;
  if (context.stderr.isTTY !== true) return;
  try {
    const id = await findSoon(options);
    if (id === undefined) return;
    for await (const event of client.followDispatch(id, { signal })) {
      const text = liveText(event, node);
      if (text !== undefined) line.show(text);
    }
  } catch {
    // The line is a courtesy: whoever awaits the end is told what fails.
  } finally {
    line.clear();
  }
}

/** The request for it may still be under way; and it may never be found, where its key led to an earlier one. */
async function findSoon({ context, find, signal }: LiveProgressOptions): Promise<string | undefined> {
  let id: string | undefined;
  for (let attempt = 0; id === undefined && attempt < mostLooks; attempt++) {
    await abortable(pause(context, quietMs * 2 ** attempt), signal);
    id = await find(signal);
  }
  return id;
}

/** What an event of a dispatch says in one line; undefined when nothing changes by it. */
export function liveText(event: DispatchEvent, node: string): string | undefined {
  const where = printable(node);
  if (event.event === 'progress') return `${where}: ${progressText(event.data.value)}`;
  if (event.event !== 'step') return undefined;
  switch (event.data.to) {
    case 'queued':
      return `Queued for ${where}`;
    case 'dispatched':
      return `Sent to ${where}`;
    case 'awaiting_local_mediation':
      return `Waiting for the person at ${where}`;
    case 'running':
      return `Running on ${where}`;
    case 'cancel_requested':
      return `Stopping on ${where}`;
    default:
      return undefined;
  }
}

/** What a handler sent, as one line: a text as it is, anything else as JSON. */
export function progressText(value: unknown): string {
  return typeof value === 'string' ? printable(value) : printableJson(value);
}
