import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster, type CommandResult, type Message, type Program } from '../support/cluster.js';

let cluster: Cluster;
let folder: string;

beforeAll(async () => {
  cluster = new Cluster({ PALYRA_PLUGINS_ENABLED: 'greet' });
  folder = join(cluster.directory, 'greet');
  await cluster.daemon();
}, 60_000);

afterAll(() => cluster.close());

/** Edits the source as a person would: one piece of text for another. */
function edit(before: string, after: string): void {
  const file = join(folder, 'src/index.ts');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(before);
  writeFileSync(file, text.replace(before, after));
}

/** The next thing of that kind that the program tells after it has told so many. */
async function next(dev: Program, event: string, from: number): Promise<Message> {
  return dev.event(event, from);
}

async function greeting(command: string): Promise<unknown> {
  const result: CommandResult = await cluster.type(`${command} --json`);
  return result.json<{ outcome?: { output?: unknown } }>().outcome?.output;
}

test('from nothing to a capability that runs on a node, and to a change of it, by what the programs say to type', async () => {
  const begun = performance.now();
  expect((await cluster.type(`palyra plugin new ${folder} --publisher Ada --yes`)).code).toBe(0);
  edit('=> ({ greeting: `Hello', '=> ({ greeting: `Good day');
  const dev = cluster.start([
    'plugin',
    'dev',
    folder,
    '--json',
    '--node-state-dir',
    join(cluster.directory, 'dev'),
  ]);

  const waits = await next(dev, 'waits', 0);
  expect(waits.command).toMatch(/^palyra pairings approve pr_\w+ --name dev$/);
  expect((await cluster.type(`${waits.command} --yes`)).code).toBe(0);
  const ready = await next(dev, 'ready', 0);
  expect(ready.command).toBe(`palyra invoke dev greet --input '{"name":"Ada"}'`);
  expect(await greeting(String(ready.command))).toEqual({ greeting: 'Good day, Ada' });

  let told = dev.messages.length;
  edit('Good day', 'Good evening');
  await next(dev, 'ready', told);
  expect(await greeting(String(ready.command))).toEqual({ greeting: 'Good evening, Ada' });
  const took = performance.now() - begun;
  expect(took).toBeLessThan(120_000);
  console.log(`from nothing to a change that runs: ${(took / 1_000).toFixed(1)} s`);

  // What can't be built changes nothing.
  told = dev.messages.length;
  edit("title: 'Greet'", 'title: 7');
  expect(await next(dev, 'build_failed', told)).toMatchObject({
    error: { code: 'plugin.manifest_invalid', fields: [{ field: '/capabilities/0/title' }] },
  });
  expect(await greeting(String(ready.command))).toEqual({ greeting: 'Good evening, Ada' });

  // What asks for more waits for an operator.
  told = dev.messages.length;
  edit('title: 7', "title: 'Greet'");
  edit('maxLength: 100', 'maxLength: 200');
  const wider = await next(dev, 'waits', told);
  expect(wider.command).toBe('palyra surfaces approve dev:greet');
  expect((await cluster.type(String(ready.command))).code).not.toBe(0);
  told = dev.messages.length;
  expect((await cluster.type(`${wider.command} --yes`)).code).toBe(0);
  await next(dev, 'ready', told);
  expect(await greeting(String(ready.command))).toEqual({ greeting: 'Good evening, Ada' });

  // The same node comes back without anybody being asked.
  expect(await dev.kill('SIGINT')).toBe(0);
  const again = cluster.start([
    'plugin',
    'dev',
    folder,
    '--json',
    '--node-state-dir',
    join(cluster.directory, 'dev'),
  ]);
  await next(again, 'ready', 0);
  expect(await greeting(String(ready.command))).toEqual({ greeting: 'Good evening, Ada' });
  expect(await again.kill('SIGINT')).toBe(0);
  expect(dev.stderr + again.stderr).toBe('');
}, 180_000);

test('a plugin that the daemon has not enabled says what to do, and one without a source that it is none', async () => {
  const other = join(cluster.directory, 'other');
  expect((await cluster.type(`palyra plugin new ${other} --yes`)).code).toBe(0);
  const dev = cluster.start([
    'plugin',
    'dev',
    other,
    '--json',
    '--node-state-dir',
    join(cluster.directory, 'dev-2'),
    '--node-name',
    'dev-2',
  ]);
  const waits = await next(dev, 'waits', 0);
  expect((await cluster.type(`${waits.command} --yes`)).code).toBe(0);
  const blocked = await dev.message(
    ({ event, why }) => event === 'waits' && String(why).includes('plugins.enabled'),
  );
  expect(blocked.command).toBe('palyra plugins reload');
  expect(await dev.kill('SIGINT')).toBe(0);
  const none = await cluster.palyra(['plugin', 'dev', cluster.directory, '--json']);
  expect([none.code, none.json()]).toMatchObject([2, { error: { code: 'plugin.no_source' } }]);
}, 60_000);
