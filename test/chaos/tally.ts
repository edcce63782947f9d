import Table from 'cli-table3';
import { tokenOf } from './checker.js';
import { type History, requestKinds } from './history.js';

/** What happened to the machines during a run. */
export interface Troubles {
  readonly faults: Readonly<Record<string, number>>;
  readonly kills: Readonly<Record<string, number>>;
  readonly restarts: Readonly<Record<string, number>>;
  readonly slowDisks: number;
  readonly retries: number;
  readonly seconds: number;
}

/** The tally of a run, as text: the dispatches by kind and end, and what they went through. */
export function tally(history: History, troubles: Troubles): string {
  const kindOf = new Map(history.requests.map(({ token, kind }) => [token, kind]));
  const states = [...new Set(history.dispatches.map(({ state }) => state))].sort();
  const count = (kind: string | undefined, state: string): number =>
    history.dispatches.filter(
      (dispatch) =>
        dispatch.state === state && (kind === undefined || kindOf.get(tokenOf(dispatch)) === kind),
    ).length;
  const table = new Table({
    head: ['asked', ...states, 'in all'],
    colAligns: ['left', ...states.map(() => 'right' as const), 'right'],
    style: { head: [], border: [] },
  });
  for (const kind of [...requestKinds, undefined]) {
    const counts = states.map((state) => count(kind, state));
    table.push([kind ?? 'in all', ...counts, counts.reduce((sum, one) => sum + one, 0)]);
  }
  const { starts, ends } = history.counts;
  const sum = (counts: Iterable<number>): number => [...counts].reduce((total, one) => total + one, 0);
  const accepted = new Set(history.requests.flatMap(({ answers }) => answers.map(({ id }) => id))).size;
  const resolved = history.dispatches.filter(({ resolution }) => resolution !== undefined).length;
  const listed = (record: Readonly<Record<string, number>>): string =>
    Object.entries(record)
      .map(([name, times]) => `${name} ${times}`)
      .join(', ');
  return `${table.toString()}
accepted   ${accepted} of ${history.dispatches.length} dispatches, ${resolved} unknown ones resolved later
handlers   started ${sum(starts.values())}, ended ${sum(ends.values())}, work started ${starts.size}, more than once ${[...starts.values()].filter((times) => times > 1).length}
kills      ${listed(troubles.kills)}
restarts   ${listed(troubles.restarts)}, with a slow disk ${troubles.slowDisks}
faults     ${listed(troubles.faults)}
retries    ${troubles.retries}
seconds    ${troubles.seconds.toFixed(0)}
`;
}
