import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStateDirectory } from '../../src/adapters/os/state-directory.js';
import { isBesideState } from '../../src/adapters/os/state-replacement.js';
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
const state = (): string => path('daemon');

async function palyra(...args: readonly string[]) {
  const run = await cluster.palyra([...args, '--json']);
  return { ...run, json: <T = Message>() => run.json<T>() };
}

async function succeed<T = Message>(...args: readonly string[]): Promise<T> {
  const run = await palyra(...args);
  if (run.code !== 0)
    throw new Error(`palyra ${args.join(' ')} ended with ${run.code}: ${run.stdout}${run.stderr}`);
  return run.json<T>();
}

const echo = ['invoke', 'worker', 'echo', '--input', '{"message":"x"}'] as const;

/** Each file of the state with its hash. */
function hashes(directory = state()): Readonly<Record<string, string>> {
  const names = readdirSync(directory).filter((name) => !isBesideState(name));
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    ]),
  );
}

describe('palyra restore', () => {
  it('ends what was delivered and may not run twice as outcome_unknown, and does not run it again', async () => {
    const open = ['invoke', 'worker', 'desktop.open_url', '--input', '{"url":"https://example.com/once"}'];
    const { id } = await succeed<{ id: string }>(...open, '--no-wait');
    const question = await node.event('mediation');
    expect(question.dispatchId).toBe(id);
    await succeed('backup', path('backup.tar'), '--unencrypted');
    node.say({ answer: 'allow', dispatchId: id });
    await node.message((message) => message.event === 'ran' && message.dispatchId === id);
    expect(await succeed('dispatches', 'show', id)).toMatchObject({ state: 'succeeded' });

    const from = node.messages.length;
    await daemon.kill('SIGTERM');
    const restored = await succeed('restore', path('backup.tar'), '--force');
    expect(restored).toMatchObject({ revocations: { added: 0, complete: true }, revoked: [] });
    daemon = await cluster.daemon();
    await node.event('connected', from);
    expect(await succeed('dispatches', 'show', id)).toMatchObject({
      state: 'outcome_unknown',
      outcome: { reason: 'restored' },
    });
    expect(await succeed(...echo)).toMatchObject({ state: 'succeeded' });
    expect(node.messages.slice(from).filter(({ event }) => event === 'mediation')).toEqual([]);
    expect(readFileSync(cluster.openedFile, 'utf8')).toBe('https://example.com/once\n');
    expect(daemon.stderr).toContain('First start with a restored state');
  }, 60_000);

  it('corrects the restored state at its first start only', async () => {
    const from = node.messages.length;
    await daemon.kill('SIGKILL');
    daemon = await cluster.daemon();
    await node.event('connected', from);
    expect(daemon.stderr).not.toContain('First start with a restored state');
  }, 30_000);

  it('refuses while the daemon runs, and to replace a state without --force', async () => {
    const locked = await palyra('restore', path('backup.tar'), '--force');
    expect([locked.code, locked.json()]).toMatchObject([6, { error: { code: 'state.locked' } }]);
    await daemon.kill('SIGTERM');
    const before = hashes();
    const full = await palyra('restore', path('backup.tar'));
    expect([full.code, full.json()]).toMatchObject([6, { error: { code: 'backup.not_empty' } }]);
    expect(hashes()).toEqual(before);
    daemon = await cluster.daemon();
  }, 30_000);

  it('keeps a node out that was revoked after the backup', async () => {
    await succeed('devices', 'revoke', 'worker', '--reason', 'stolen', '--yes');
    await node.event('refused');
    await daemon.kill('SIGTERM');
    const restored = await succeed('restore', path('backup.tar'), '--force');
    expect(restored).toMatchObject({ revocations: { added: 1, complete: true }, revoked: [] });
    daemon = await cluster.daemon();
    const from = node.messages.length;
    await node.kill('SIGTERM');
    node = cluster.node();
    const refused = await node.event('refused');
    expect(refused).toMatchObject({ error: { code: 'session.revoked' } });
    expect(from).toBeGreaterThan(0);
    const { devices } = await succeed<{ devices: readonly unknown[] }>('inventory');
    expect(devices).toMatchObject([{ name: 'worker', trust: 'revoked', presence: 'offline' }]);
  }, 60_000);

  it('asks about each device where no file of revocations is, and a script has to say', async () => {
    const args = ['restore', path('backup.tar'), '--state-dir', path('fresh')];
    const undecided = await palyra(...args);
    expect(undecided.code).toBe(2);
    expect(undecided.json()).toMatchObject({
      error: { code: 'cli.confirmation_needed', details: { devices: [{ name: 'worker' }] } },
    });
    expect(existsSync(path('fresh/palyra.db'))).toBe(false);
    expect((await palyra(...args, '--revoke', 'wrker')).code).toBe(7);
    const { revoked } = await succeed<{ revoked: readonly string[] }>(...args, '--revoke', 'worker');
    expect(revoked).toHaveLength(1);
    await succeed(...args, '--force', '--trust-all-devices');
    expect(readFileSync(path('fresh/revocations.log'), 'utf8')).toContain('not confirmed');
  }, 30_000);

  it('says what a backup holds, and refuses a torn one, without touching anything', async () => {
    expect(await succeed('restore', '--check', path('backup.tar'))).toMatchObject({
      manifest: { format: 1 },
    });
    const person = await cluster.palyra(['restore', '--check', path('backup.tar')]);
    expect(person.stdout).toMatch(/is whole\.\n.*made.*\n.*by .*palyra .*\n.*of CA +[0-9a-f]{64}/);
    writeFileSync(path('torn.tar'), readFileSync(path('backup.tar')).subarray(0, 4000));
    await daemon.kill('SIGTERM');
    const before = hashes();
    for (const flags of [['--check'], ['--force']]) {
      const torn = await palyra('restore', path('torn.tar'), ...flags);
      expect([torn.code, torn.json()]).toMatchObject([6, { error: { code: 'backup.damaged' } }]);
    }
    expect(hashes()).toEqual(before);
  }, 30_000);

  it('killed at any moment leaves the old state or the new one, and never a mix', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 6 || (outcomes.size < 2 && round < 30); round++) {
      const before = hashes();
      const program = cluster.command(['restore', path('backup.tar'), '--force', '--json']);
      const closed = new Promise((resolve) => program.once('close', resolve));
      // The later rounds let it come further.
      await untilStaged(round % 6, program);
      program.kill('SIGKILL');
      await closed;
      (await openStateDirectory(state(), { program: 'test' })).release();
      const after = hashes();
      // The mark in the database is of one restore.
      const isNew = after['palyra.db'] !== before['palyra.db'];
      if (isNew) {
        expect(Object.keys(after).sort()).toEqual(['ca.crt', 'ca.key', 'palyra.db', 'revocations.log']);
        for (const name of ['ca.crt', 'ca.key', 'revocations.log']) expect(after[name]).toBe(before[name]);
      } else {
        expect(after).toEqual(before);
      }
      outcomes.add(isNew ? 'new' : 'old');
    }
    expect([...outcomes].sort()).toEqual(['new', 'old']);
    daemon = await cluster.daemon();
    const { devices } = await succeed<{ devices: readonly unknown[] }>('inventory');
    expect(devices).toMatchObject([{ name: 'worker', trust: 'revoked' }]);
    for (const name of readdirSync(state())) {
      expect((statSync(join(state(), name)).mode & 0o077).toString(8), name).toBe('0');
    }
  }, 120_000);
});

/** Waits until a restore has come to that step, by what it leaves in the directory, or has ended. */
async function untilStaged(step: number, program: ChildProcess): Promise<void> {
  const signs = [
    /^restore\.incoming\./,
    /^restore\.(incoming|ready)\./,
    /^restore\.ready\./,
    /^restore\.(ready|installing)\./,
    /^before-restore-/,
    /^restore\.installing\./,
  ] as const;
  const earlier = new Set(readdirSync(state()));
  while (program.exitCode === null) {
    const fresh = readdirSync(state()).filter((name) => !earlier.has(name));
    if (fresh.some((name) => signs[step]?.test(name))) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
