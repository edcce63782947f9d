import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodeError } from '../actors/errors.js';
import { RememberedAnswers } from '../actors/mediation/answers.js';
import { DecisionJournal } from '../actors/mediation/decisions.js';
import { openStore } from '../adapters/store/sqlite/sqlite-store.js';
import { systemClock } from '../kernel/clock.js';

/** The file in the state directory of a node in which its records are. */
export const nodeDatabase = 'node.db';

/**
 * Works on the remembered answers of a node and its account of what was decided, whose host may run meanwhile: it reads them at each question, and both write by
 * compare-and-set in SQLite's own transactions, so what is taken back here counts there from the next question on.
 *
 * @throws AppError `node.no_state` when no node has ever run by this directory; what opening the store throws
 * @example await withStoredAnswers(directory, (answers) => answers.list());
 */
export async function withStoredAnswers<T>(
  stateDirectory: string,
  work: (answers: RememberedAnswers, decisions: DecisionJournal) => Promise<T>,
): Promise<T> {
  const file = join(stateDirectory, nodeDatabase);
  if (!existsSync(file)) {
    throw nodeError('no_state', `No node has its state in ${stateDirectory}`, {
      hint: 'Name its directory with --state-dir, as it was named for palyra node run',
    });
  }
  const store = await openStore(file);
  try {
    return await work(new RememberedAnswers(store, systemClock), new DecisionJournal(store));
  } finally {
    await store.close();
  }
}
