import { existsSync, readdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBackup } from '../../src/adapters/backup/read-backup.js';
import { directoryHolder } from '../../src/adapters/os/directory-lock.js';
import { Secret } from '../../src/kernel/secret.js';
import { Cluster, type Program } from '../support/cluster.js';

let cluster: Cluster;
let daemon: Program;

beforeAll(async () => {
  cluster = new Cluster();
  writeFileSync(join(cluster.directory, 'palyra.yaml'), 'log: { level: warn }\n');
  cluster.variables.PALYRA_CONFIG = join(cluster.directory, 'palyra.yaml');
  daemon = await cluster.daemon();
  await cluster.pairedNode();
}, 60_000);
afterAll(() => cluster.close());

const path = (name: string): string => join(cluster.directory, name);
const state = (): string => path('daemon');

function passphraseFile(): string {
  writeFileSync(path('passphrase'), 'correct horse battery\n', { mode: 0o600 });
  return path('passphrase');
}

async function backup(name: string, ...args: readonly string[]) {
  return cluster.palyra(['backup', path(name), '--json', ...args]);
}

describe('palyra backup', () => {
  it('is consistent while the daemon dispatches, and does not hold it up', async () => {
    let done = false;
    let ran = 0;
    const busy = (async () => {
      while (!done) {
        const run = await cluster.palyra([
          'invoke',
          'worker',
          'echo',
          '--input',
          '{"message":"x"}',
          '--key',
          `k${ran}`,
        ]);
        expect(run.code).toBe(0);
        ran += 1;
      }
    })();
    const made = await backup('busy.tar', '--unencrypted');
    done = true;
    await busy;
    expect(made.code).toBe(0);
    expect(made.json()).toMatchObject({ encrypted: false, running: true });
    const names = made
      .json<{ manifest: { files: { name: string }[] } }>()
      .manifest.files.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['ca.crt', 'ca.key', 'palyra.db', 'palyra.yaml']));
    expect(names).not.toContain('operator.token');
    expect(statSync(path('busy.tar')).mode & 0o777).toBe(0o600);
    expect(readdirSync(state()).filter((name) => name.startsWith('.snapshot'))).toEqual([]);
    expect(ran).toBeGreaterThan(0);
  }, 60_000);

  it('encrypts with a passphrase, and shows nothing without it', async () => {
    const made = await backup('sealed', '--passphrase-file', passphraseFile());
    expect(made.code).toBe(0);
    const bytes = readFileSync(path('sealed'));
    for (const text of ['PRIVATE KEY', 'worker', 'SQLite', 'correct horse'])
      expect(bytes.includes(text)).toBe(false);
    const manifest = await readBackup({
      file: path('sealed'),
      passphrase: new Secret('correct horse battery'),
    });
    expect(manifest).toEqual(made.json<{ manifest: object }>().manifest);
  }, 30_000);

  it('insists on being told how it is protected, and replaces nothing', async () => {
    expect((await backup('x')).code).toBe(2);
    expect((await backup('x', '--unencrypted', '--passphrase-file', passphraseFile())).code).toBe(2);
    writeFileSync(path('there'), 'mine');
    const refused = await backup('there', '--unencrypted');
    expect(refused.code).toBe(6);
    expect(refused.json()).toMatchObject({ error: { code: 'backup.exists' } });
    expect(readFileSync(path('there'), 'utf8')).toBe('mine');
    const elsewhere = await backup('x', '--unencrypted', '--state-dir', path('absent'));
    expect(elsewhere.code).toBe(7);
    expect(existsSync(path('absent'))).toBe(false);
    expect(existsSync(path('x'))).toBe(false);
  }, 30_000);

  it('refuses a directory that is not of a daemon, and one that a node host has', async () => {
    const held = await backup('x', '--unencrypted', '--state-dir', path('node'));
    expect(held.json()).toMatchObject({
      error: { code: 'state.locked', details: { program: 'palyra node' } },
    });
    expect(held.code).toBe(6);
  }, 30_000);

  it('works when the daemon is stopped, and holds the lock meanwhile', async () => {
    await daemon.kill('SIGTERM');
    // Its name is beside the lock for as long as it holds it.
    const holders = new Set<string | undefined>();
    const watcher = watch(state(), () => holders.add(directoryHolder(state())?.program));
    const made = await backup('stopped.tar', '--unencrypted');
    watcher.close();
    expect(made.json()).toMatchObject({ running: false });
    expect(holders).toContain('palyra backup');
  }, 30_000);
});
