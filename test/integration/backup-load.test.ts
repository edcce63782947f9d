import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DispatchRecord } from '../../src/actors/dispatch/record.js';
import { eachStored, fromStored } from '../../src/actors/records.js';
import { createBackup } from '../../src/adapters/backup/create-backup.js';
import { openStore } from '../../src/adapters/store/sqlite/sqlite-store.js';
import type { Device } from '../../src/contract/device.js';
import type { CreateDispatch, Dispatch } from '../../src/contract/dispatch.js';
import { systemClock } from '../../src/kernel/clock.js';
import { Cluster, type Message, type Program } from '../support/cluster.js';

let cluster: Cluster;
let daemon: Program;
let node: Program;

beforeAll(async () => {
  cluster = new Cluster();
  daemon = await cluster.daemon();
  node = await cluster.pairedNode();
}, 60_000);
afterAll(() => cluster.close());

const path = (name: string): string => join(cluster.directory, name);

async function succeed<T = Message>(...args: readonly string[]): Promise<T> {
  const run = await cluster.palyra([...args, '--json']);
  if (run.code !== 0) throw new Error(`palyra ${args.join(' ')}: ${run.stdout}${run.stderr}`);
  return run.json<T>();
}

/** Eight callers that dispatch with keys as fast as they are answered, until they are told to stop or the daemon dies. */
class Writers {
  /** By key: the dispatch that was accepted under it. */
  readonly accepted = new Map<string, string>();
  readonly #client = cluster.client();
  readonly #prefix: string;
  readonly #running: Promise<unknown>;
  #next = 0;
  #stopped = false;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#running = Promise.all(Array.from({ length: 8 }, () => this.#write()));
  }

  async accept(count: number): Promise<void> {
    await expect.poll(() => this.accepted.size, { interval: 5 }).toBeGreaterThanOrEqual(count);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const idempotencyKey = `${this.#prefix}-${this.#next++}`;
      const request = {
        node: 'worker',
        capability: 'echo',
        input: { message: idempotencyKey },
        idempotencyKey,
      };
      try {
        this.accepted.set(idempotencyKey, (await this.#client.createDispatch(request)).id);
      } catch {
        // The daemon is gone; or its queue is full, and the next one is as good.
      }
    }
  }
}

interface RestoredRecords {
  /** By id. */
  readonly dispatches: ReadonlyMap<string, DispatchRecord>;
  /** Ids of dispatches that a key stands for. */
  readonly keyed: ReadonlySet<string>;
}

/** Restores a backup beside the running state and reads what it holds. */
async function restoredBeside(backup: string, directory: string): Promise<RestoredRecords> {
  await succeed('restore', path(backup), '--state-dir', path(directory), '--trust-all-devices');
  const database = new Database(join(path(directory), 'palyra.db'));
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  database.close();
  const store = await openStore(join(path(directory), 'palyra.db'));
  const dispatches = new Map<string, DispatchRecord>();
  const keyed = new Set<string>();
  for await (const stored of eachStored(store, 'dispatch')) {
    dispatches.set(stored.id, fromStored<DispatchRecord>(stored));
  }
  for await (const stored of eachStored(store, 'idempotency')) {
    keyed.add((stored.data as { readonly dispatchId: string }).dispatchId);
  }
  await store.close();
  return { dispatches, keyed };
}

/** A dispatch and its key are of one transaction: a backup has both or neither. */
function expectWhole({ dispatches, keyed }: RestoredRecords): void {
  const withKey = [...dispatches.values()].filter(({ idempotencyKey }) => idempotencyKey !== undefined);
  expect(new Set(withKey.map(({ id }) => id))).toEqual(keyed);
}

describe('a backup', () => {
  it('taken while eight callers write is of one moment: all that was accepted before it, with its keys', async () => {
    const writers = new Writers('load');
    const before: number[] = [];
    for (let n = 0; n < 3; n++) {
      await writers.accept((before.at(-1) ?? 0) + 40);
      before.push(writers.accepted.size);
      // Here and not by the command, whose start would let the daemon write on for long.
      const made = await createBackup({
        stateDirectory: path('daemon'),
        file: path(`load-${n}.tar`),
        version: 'test',
        clock: systemClock,
      });
      expect(made.running).toBe(true);
    }
    await writers.stop();
    const ids = [...writers.accepted.values()];
    expect(ids.length).toBeGreaterThan(before.at(-1) ?? 0);
    let smaller = 0;
    for (const [n, count] of before.entries()) {
      const restored = await restoredBeside(`load-${n}.tar`, `load-${n}`);
      expectWhole(restored);
      for (const id of ids.slice(0, count)) expect(restored.dispatches.has(id)).toBe(true);
      // Each is of its own moment, and not of the end.
      expect(restored.dispatches.size).toBeGreaterThan(smaller);
      smaller = restored.dispatches.size;
      expect(smaller).toBeLessThanOrEqual(ids.length);
    }
  }, 60_000);

  it('taken after the daemon was killed has what its write-ahead log was left with', async () => {
    const writers = new Writers('killed');
    await writers.accept(60);
    await daemon.kill('SIGKILL');
    await writers.stop();
    expect(statSync(path('daemon/palyra.db-wal')).size).toBeGreaterThan(0);
    const made = await succeed('backup', path('killed.tar'), '--unencrypted');
    expect(made).toMatchObject({ running: false });
    const restored = await restoredBeside('killed.tar', 'killed');
    expectWhole(restored);
    for (const id of writers.accepted.values()) expect(restored.dispatches.has(id)).toBe(true);
    const from = node.messages.length;
    daemon = await cluster.daemon();
    await node.event('connected', from);
  }, 60_000);
});

describe('a key that was used before a backup', () => {
  const once: CreateDispatch = {
    node: 'worker',
    capability: 'desktop.open_url',
    input: { url: 'https://example.com/once' },
    idempotencyKey: 'once',
  };
  const done: CreateDispatch = {
    node: 'worker',
    capability: 'echo',
    input: { message: 'done' },
    idempotencyKey: 'done',
    wait: true,
  };

  it('stands for the dispatch that it had, with the truth about it, after a restore', async () => {
    const delivered = await cluster.client().createDispatch(once);
    await node.message(({ event, dispatchId }) => event === 'mediation' && dispatchId === delivered.id);
    const ended = await cluster.client().createDispatch(done);
    expect(ended.state).toBe('succeeded');
    await succeed('backup', path('keys.tar'), '--unencrypted');
    const later = await cluster.client().createDispatch({ ...done, idempotencyKey: 'later' });
    expect(later.state).toBe('succeeded');

    const from = node.messages.length;
    await daemon.kill('SIGTERM');
    await succeed('restore', path('keys.tar'), '--force');
    daemon = await cluster.daemon();
    await node.event('connected', from);

    const client = cluster.client();
    // It had not ended, and may not run twice: what became of it is unknown (protocol.md 20).
    const again = await client.createDispatch(once);
    expect(again).toMatchObject({
      id: delivered.id,
      state: 'outcome_unknown',
      outcome: { reason: 'restored' },
    });
    const waited: Dispatch = await client.createDispatch({ ...once, wait: true });
    expect(waited).toMatchObject({ id: delivered.id, state: 'outcome_unknown' });
    expect(await client.createDispatch(done)).toMatchObject({
      id: ended.id,
      state: 'succeeded',
      outcome: { output: ended.outcome?.output },
    });
    const other = { ...once, input: { url: 'https://example.com/other' } };
    await expect(client.createDispatch(other)).rejects.toMatchObject({
      code: 'dispatch.key_conflict',
      details: { dispatchId: delivered.id },
    });
    // The backup does not know of it: it is another dispatch now, which docs/security.md says.
    expect((await client.createDispatch({ ...done, idempotencyKey: 'later' })).id).not.toBe(later.id);
    expect(node.messages.slice(from).filter(({ event }) => event === 'mediation')).toEqual([]);
  }, 60_000);
});

describe('a machine that goes on after a restore with a ticket that is not in the backup', () => {
  it('raises an alert that names the restore, and all such alerts are settled by one command', async () => {
    await succeed('backup', path('tickets.tar'), '--unencrypted');
    await node.kill('SIGTERM');
    node = cluster.node();
    await node.event('connected');
    await daemon.kill('SIGTERM');
    await succeed('restore', path('tickets.tar'), '--force');
    const from = node.messages.length;
    daemon = await cluster.daemon();
    await node.event('connected', from);

    const client = cluster.client();
    const [device] = (await client.listDevices()).devices;
    expect(device).toMatchObject({
      clones: [{ kind: 'after_restore', state: 'admitted', backupAt: expect.stringMatching(/^20/) }],
      alerts: [{ code: 'clone', message: expect.stringContaining('palyra devices allow-restored') }],
    });
    const refused = await cluster.palyra(['devices', 'allow-restored', '--reason', 'restored', '--json']);
    expect(refused.code).toBe(2);
    const settled = await succeed<{ allowed: Device[]; left: Device[] }>(
      'devices',
      'allow-restored',
      '--reason',
      'restored',
      '--yes',
    );
    expect(settled.left).toEqual([]);
    expect(settled.allowed).toMatchObject([{ name: 'worker', alerts: [], clones: [{ state: 'allowed' }] }]);
    const again = await cluster.palyra(['devices', 'allow-restored', '--reason', 'again']);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('No machine waits')]);
  }, 60_000);
});
