import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { ControlPlaneClient, Dispatch, DispatchSummary } from '../../src/client/index.js';
import type { History, StoredDispatch } from './history.js';

/** Requests for whole dispatches that are under way at a time. */
const readers = 16;

const liveStates = ['queued', 'dispatched', 'awaiting_local_mediation', 'running'] as const;

/** The ids of all dispatches that have not ended, as the API tells them. */
export async function liveDispatches(api: ControlPlaneClient): Promise<readonly string[]> {
  return (await pages(api, [...liveStates])).map(({ id }) => id);
}

/** Every dispatch that the daemon knows, whole. */
export async function allDispatches(api: ControlPlaneClient): Promise<readonly Dispatch[]> {
  const found: Dispatch[] = [];
  const summaries = (await pages(api, [])).values();
  const reader = async (): Promise<void> => {
    for (const { id } of summaries) found.push(await api.getDispatch(id));
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return found;
}

async function pages(
  api: ControlPlaneClient,
  state: Dispatch['state'][],
): Promise<readonly DispatchSummary[]> {
  const found: DispatchSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.listDispatches({
      limit: 500,
      ...(state.length === 0 ? {} : { state }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.dispatches);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

interface Row {
  readonly id: string;
  readonly state: string;
  readonly data: string;
}

function rows(file: string, kind: string): readonly Row[] {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare('SELECT id, state, data FROM records WHERE kind = ?').all(kind) as Row[];
  } finally {
    database.close();
  }
}

/** What the node's file still holds of dispatches. It may be read while the node runs. */
export function journalOfNode(directory: string): History['atNode'] {
  return rows(join(directory, 'node', 'node.db'), 'execution').map(({ id, state }) => ({
    dispatchId: id,
    where: `its journal, as ${state}`,
  }));
}

/** What the daemon's file says. */
export function fileOfDaemon(directory: string): {
  readonly stored: readonly StoredDispatch[];
  readonly keys: readonly string[];
} {
  const file = join(directory, 'daemon', 'palyra.db');
  return {
    stored: rows(file, 'dispatch').map(({ id, state }) => ({ id, state })),
    keys: rows(file, 'idempotency').map(
      ({ data }) => (JSON.parse(data) as { readonly dispatchId: string }).dispatchId,
    ),
  };
}
