import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installFromHere, root } from '../support/plugin-install.js';

const run = promisify(execFile);
const palyra = join(root, 'dist/src/cli/palyra.js');

let base: string;
let folder: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'palyra-new-'));
  folder = join(base, 'disk-report');
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

const tool = (name: string) => join(root, 'node_modules', '.bin', name);

test('what `plugin new` makes compiles, is sound in every respect, and its test passes', async () => {
  const made = await run(process.execPath, [
    palyra,
    ...['plugin', 'new', folder, '--capability', 'disk.report', '--publisher', 'Ada\'s "shop"', '--json'],
  ]);
  expect(JSON.parse(made.stdout)).toMatchObject({ name: 'disk-report', capability: 'disk.report', folder });
  installFromHere(folder);
  await run(process.execPath, [palyra, 'plugin', 'pack', folder]);
  const checked = await run(process.execPath, [palyra, 'plugin', 'check', folder, '--strict', '--json']);
  expect(JSON.parse(checked.stdout)).toEqual({ ok: true, findings: [] });
  await run(tool('tsc'), [], { cwd: folder });
  const tested = await run(tool('vitest'), ['run', '--reporter=json'], { cwd: folder });
  expect(JSON.parse(tested.stdout)).toMatchObject({ success: true, numPassedTests: 2 });
}, 90_000);
