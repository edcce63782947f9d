import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { eachStored } from '../../src/actors/records.js';
import { openStore } from '../../src/adapters/store/sqlite/sqlite-store.js';
import { ControlPlaneClient } from '../../src/client/index.js';

const palyrad = fileURLToPath(new URL('../../dist/src/daemon/palyrad.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'palyra-full-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('stops when the disk refuses a write, and has not said that anything was accepted which is not there', async () => {
  const args = `${process.execPath} ${palyrad} --json --http-port 0 --enroll-port 0 --node-port 0`;
  const env = { PATH: process.env.PATH, PALYRA_STATE_DIR: directory, XDG_CONFIG_HOME: directory };
  // No file may grow beyond 1 MiB: the write-ahead log gets there first.
  const child = spawn('sh', ['-c', `ulimit -f 2048; exec ${args}`], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stderr.resume();
  const lines: string[] = [];
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      resolve();
    });
  });
  await ready;
  const token = (await readFile(join(directory, 'operator.token'), 'utf8')).trim();
  const { http } = JSON.parse(lines[0] ?? '{}') as { http: string };
  const client = new ControlPlaneClient({ baseUrl: http, token });
  const minted: string[] = [];
  const refused = await (async () => {
    while (minted.length < 5_000) {
      minted.push((await client.mintPairingCode({ purpose: 'x'.repeat(100) })).id);
    }
    return undefined;
  })().catch((error: unknown) => error);
  expect(refused).toBeDefined();
  expect(minted.length).toBeGreaterThan(10);
  expect(await exited).toBe(1);
  expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({ error: { code: 'store.failed' } });

  const store = await openStore(join(directory, 'palyra.db'));
  const codes = new Set<string>();
  for await (const record of eachStored(store, 'pairing-code')) codes.add(record.id);
  await store.close();
  expect(minted.filter((id) => !codes.has(id))).toEqual([]);
}, 60_000);
