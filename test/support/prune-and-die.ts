import { LiveDispatches } from '../../src/actors/dispatch/live.js';
import { DispatchRetention } from '../../src/actors/dispatch/retention.js';
import { nothingYet } from '../../src/actors/sweeper.js';
import { openStore } from '../../src/adapters/store/sqlite/sqlite-store.js';
import { systemClock } from '../../src/kernel/clock.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import type { Store } from '../../src/kernel/store.js';
import { silent } from '../model/samples.js';

/** Prunes all that ended more than an hour ago, and is killed while some of that is being written. */
const [path = '', commits = '0'] = process.argv.slice(2);
const inner = await openStore(path);
let left = Number(commits);
const store: Store = {
  get: (kind, id) => inner.get(kind, id),
  list: (query) => inner.list(query),
  heads: (query) => inner.heads(query),
  history: (kind, id) => inner.history(kind, id),
  close: () => inner.close(),
  commit: async (operations, durability) => {
    await inner.commit(operations, durability);
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  },
};
await new DispatchRetention({
  store,
  clock: systemClock,
  deadlines: new Deadlines(systemClock, silent),
  live: new LiveDispatches(),
  isLookedFor: () => false,
}).sweep({ ageMs: 3_600_000 }, nothingYet());
