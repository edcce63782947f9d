import { openStore } from '../../src/adapters/store/sqlite/sqlite-store.js';

/**
 * Commits pairs of records as fast as it can, several at a time, and prints the number of each once it is acknowledged,
 * until it is killed.
 */
const [path = '', from = '0'] = process.argv.slice(2);
const store = await openStore(path);
let next = Number(from);

async function writer(): Promise<void> {
  for (;;) {
    const n = next;
    next += 1;
    const journal = { event: 'write', by: 'system:test', from: '' };
    const base = {
      op: 'put',
      expect: 0,
      state: 'queued',
      owner: 'dev',
      createdAt: n,
      updatedAt: n,
      journal,
    } as const;
    await store.commit(
      [
        { ...base, kind: 'left', id: String(n), data: { n, text: 'x'.repeat(n % 3000) } },
        { ...base, kind: 'right', id: String(n), data: { n } },
      ],
      n % 3 === 0 ? 'wal' : 'fsync',
    );
    process.stdout.write(`${n}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, writer));
