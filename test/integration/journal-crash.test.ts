import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DispatchRecord } from '../../src/actors/dispatch/record.js';
import { isTerminal } from '../../src/actors/dispatch/record.js';
import { historyOf } from '../../src/actors/dispatch/steps.js';
import { ControlPlaneClient, type Dispatch } from '../../src/client/index.js';
import { Cluster } from '../support/cluster.js';

/*
 * The daemon is killed in the middle of its transitions. What its disk says then is read without it; after the restart each
 * actor has to be there, and its explanation has to tell the same story as its row.
 */

const transitionsBeforeTheKill = 1_000;
const writers = 24;

let cluster: Cluster;
beforeAll(() => {
  cluster = new Cluster();
});
afterAll(() => cluster.close());

function client(): ControlPlaneClient {
  const read = (name: string): string => readFileSync(join(cluster.directory, 'daemon', name), 'utf8').trim();
  return new ControlPlaneClient({ baseUrl: read('control.url'), token: read('operator.token') });
}

/** Every dispatch and the state of every pairing, as the disk has them. */
function onDisk(): {
  readonly dispatches: readonly DispatchRecord[];
  readonly pairings: ReadonlyMap<string, string>;
} {
  const database = new Database(join(cluster.directory, 'daemon', 'palyra.db'), { readonly: true });
  const rows = database.prepare('SELECT kind, id, state, data FROM records').all() as {
    readonly kind: string;
    readonly id: string;
    readonly state: string;
    readonly data: string;
  }[];
  database.close();
  return {
    dispatches: rows
      .filter(({ kind }) => kind === 'dispatch')
      .map(({ id, state, data }) => ({ ...JSON.parse(data), id, state })),
    pairings: new Map(rows.filter(({ kind }) => kind === 'pairing').map(({ id, state }) => [id, state])),
  };
}

/** Where the actor of an open record has to be: what may have been sent, by its record, counts as sent. */
function actorStateOf({ state, sentInEpoch }: DispatchRecord): string {
  return state === 'queued' && sentInEpoch > 0 ? 'dispatched' : state;
}

it('finds every actor where its last committed record says, and explains it so', async () => {
  const daemon = await cluster.daemon();
  const node = await cluster.pairedNode('worker');
  const api = client();
  const accepted = new Set<string>();
  let transitions = 0;
  let stopped = false;

  const invoke = async (round: number): Promise<void> => {
    const kind = round % 4;
    const asked: Dispatch =
      kind === 3
        ? await api.createDispatch({
            node: 'worker',
            capability: 'desktop.open_url',
            input: { url: 'https://example.com' },
          })
        : await api.createDispatch({
            node: 'worker',
            capability: 'echo',
            input: { message: `${round}` },
            wait: kind === 0,
            ...(kind === 1 ? { idempotencyKey: `key-${round}` } : {}),
          });
    if (kind !== 0) accepted.add(asked.id);
    if (kind === 3 && round % 8 === 3) await api.cancelDispatch(asked.id, 'enough');
    transitions += asked.steps.length;
  };
  let next = 0;
  const writer = async (): Promise<void> => {
    while (!stopped) {
      const round = next;
      next += 1;
      try {
        await invoke(round);
      } catch (error) {
        if (!stopped) throw error;
      }
      if (transitions >= transitionsBeforeTheKill && !stopped) {
        stopped = true;
        await daemon.kill('SIGKILL');
      }
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  await node.kill('SIGKILL');

  const { dispatches, pairings } = onDisk();
  const lost = [...accepted].filter((id) => !dispatches.some((dispatch) => dispatch.id === id));
  expect(lost).toEqual([]);
  const open = dispatches.filter(({ state }) => !isTerminal(state));
  expect(open.length).toBeGreaterThan(0);

  await cluster.daemon();
  const again = client();
  const states = new Map<string, number>();
  for (const dispatch of dispatches) {
    const explanation = await again.explain(dispatch.id);
    const ended = isTerminal(dispatch.state);
    states.set(dispatch.state, (states.get(dispatch.state) ?? 0) + 1);
    expect(explanation).toMatchObject({ kind: 'dispatch', state: dispatch.state, ended });
    expect(explanation.history).toEqual(
      historyOf(dispatch).map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })),
    );
    expect(explanation.history.at(-1)?.to).toBe(dispatch.state);
    expect(explanation.actorState).toBe(ended ? undefined : actorStateOf(dispatch));
    expect(explanation.next === undefined).toBe(ended);
    expect(explanation.accepts.some(({ event }) => event === 'cancel')).toBe(!ended);
  }
  for (const [id, state] of pairings) {
    const explanation = await again.explain(id);
    expect(explanation).toMatchObject({ kind: 'pairing', state, ended: state === 'completed' });
    expect(explanation.history.map(({ event }) => event)).toEqual(['prove', 'submit', 'approve', 'confirm']);
  }
  const total = dispatches.reduce((sum, { steps }) => sum + steps.length, 0);
  console.info(`killed after ${total} recorded transitions of ${dispatches.length} dispatches:`, states);
}, 120_000);
