import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cluster, type Program } from '../support/cluster.js';

let cluster: Cluster;
let daemon: Program;
let node: Program;
const umask = process.umask();

const first = 'the first passphrase';
const second = 'the second passphrase';

function passphraseFile(name: string, content: string): string {
  const path = join(cluster.directory, name);
  writeFileSync(path, `${content}\n`, { mode: 0o600 });
  return path;
}

/** The files below both state directories that hold a private key in clear. */
function keysInClear(): readonly string[] {
  return ['daemon', 'node'].flatMap((role) =>
    readdirSync(join(cluster.directory, role), { withFileTypes: true })
      // The socket of a running host is none.
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .filter((name) => readFileSync(join(cluster.directory, role, name), 'latin1').includes('PRIVATE KEY'))
      .map((name) => `${role}/${name}`),
  );
}

/** How a daemon ends that must not start. */
async function refused(variables: NodeJS.ProcessEnv): Promise<readonly [number | null, unknown]> {
  for (const name of ['PALYRA_PASSPHRASE', 'PALYRA_PASSPHRASE_FILE']) delete cluster.variables[name];
  Object.assign(cluster.variables, variables);
  const program = cluster.daemonWithoutWaiting();
  return [await program.exited, program.messages.at(-1)];
}

beforeAll(async () => {
  cluster = new Cluster();
  // The programs inherit a umask that would let others read.
  process.umask(0);
  cluster.variables.PALYRA_PASSPHRASE_FILE = passphraseFile('first', first);
  daemon = await cluster.daemon();
  node = await cluster.pairedNode();
}, 60_000);
afterAll(() => {
  process.umask(umask);
  return cluster.close();
});

it('keeps every private key of daemon and node sealed, and the node works', async () => {
  expect(keysInClear()).toEqual([]);
  const names = readdirSync(join(cluster.directory, 'daemon'));
  expect(names).toEqual(expect.arrayContaining(['ca.key', 'keyring.json', 'server.json']));
  for (const name of names) {
    const path = join(cluster.directory, 'daemon', name);
    expect(statSync(path).mode & 0o777, name).toBe(0o600);
    expect(readFileSync(path, 'latin1')).not.toContain(first);
  }
  for (const name of readdirSync(join(cluster.directory, 'node'))) {
    expect(statSync(join(cluster.directory, 'node', name)).mode & 0o777, name).toBe(0o600);
  }
  const run = await cluster.palyra(['invoke', 'worker', 'echo', '--input', '{"message":"x"}', '--json']);
  expect(run.json()).toMatchObject({ state: 'succeeded' });
});

it('opens them again after kill -9, for the passphrase in a variable as for that in a file', async () => {
  const from = node.messages.length;
  await daemon.kill('SIGKILL');
  delete cluster.variables.PALYRA_PASSPHRASE_FILE;
  cluster.variables.PALYRA_PASSPHRASE = first;
  daemon = await cluster.daemon();
  await node.event('connected', from);
  expect(`${daemon.stderr}${node.stderr}`).not.toContain(first);
}, 30_000);

it('changes nothing while the daemon runs', async () => {
  delete cluster.variables.PALYRA_PASSPHRASE;
  const args = ['--passphrase-file', passphraseFile('first', first), '--json'];
  const result = await cluster.palyra(['passphrase', 'remove', ...args]);
  expect(result.code).toBe(6);
  expect(result.json()).toMatchObject({ error: { code: 'state.locked', details: { program: 'palyrad' } } });
});

it('does not start without it or with another, and says what to do', async () => {
  await daemon.kill('SIGTERM');
  expect(await refused({})).toMatchObject([6, { error: { code: 'passphrase.missing', hint: /./ } }]);
  expect(await refused({ PALYRA_PASSPHRASE: second })).toMatchObject([
    6,
    { error: { code: 'passphrase.wrong' } },
  ]);
  const both = { PALYRA_PASSPHRASE: first, PALYRA_PASSPHRASE_FILE: passphraseFile('first', first) };
  expect(await refused(both)).toMatchObject([2, { error: { code: 'passphrase.ambiguous' } }]);
  const absent = { PALYRA_PASSPHRASE_FILE: join(cluster.directory, 'absent') };
  expect(await refused(absent)).toMatchObject([6, { error: { code: 'passphrase.missing' } }]);
}, 30_000);

it('is changed and taken away with palyra passphrase, for the daemon and for the node', async () => {
  for (const name of ['PALYRA_PASSPHRASE', 'PALYRA_PASSPHRASE_FILE']) delete cluster.variables[name];
  const [old, next] = [passphraseFile('first', first), passphraseFile('second', second)];
  await node.kill('SIGTERM');
  for (const role of [[], ['--node']]) {
    const set = ['passphrase', 'set', ...role, '--new-passphrase-file', next];
    expect((await cluster.palyra([...set, '--passphrase-file', next])).stderr).toMatch(/does not open/);
    expect(await cluster.palyra([...set, '--passphrase-file', old])).toMatchObject({ code: 0 });
  }
  expect(await refused({ PALYRA_PASSPHRASE: first })).toMatchObject([
    6,
    { error: { code: 'passphrase.wrong' } },
  ]);
  cluster.variables.PALYRA_PASSPHRASE = second;
  daemon = await cluster.daemon();
  node = cluster.node();
  await node.event('connected');
  await node.kill('SIGTERM');
  await daemon.kill('SIGTERM');
  delete cluster.variables.PALYRA_PASSPHRASE;
  for (const role of [[], ['--node']]) {
    const remove = ['passphrase', 'remove', ...role, '--passphrase-file', next, '--json'];
    expect((await cluster.palyra(remove)).json()).toMatchObject({ keys: 'clear' });
  }
  expect(keysInClear().length).toBeGreaterThan(3);
  daemon = await cluster.daemon();
  node = cluster.node();
  await node.event('connected');
}, 60_000);
