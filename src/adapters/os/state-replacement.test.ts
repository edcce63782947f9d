import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStateDirectory } from './state-directory.js';
import {
  commitReplacement,
  finishReplacement,
  isBesideState,
  stageReplacement,
} from './state-replacement.js';

const before = {
  'ca.key': 'old key',
  'palyra.db': 'old records',
  'palyra.db-wal': 'old log',
  'operator.token': 't',
};
const after = { 'ca.key': 'new key', 'palyra.db': 'new records', 'revocations.log': 'new' };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'palyra-replace-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(path: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(path, name), content, { mode: 0o600 });
}

function filesIn(path: string): Readonly<Record<string, string>> {
  const names = readdirSync(path).filter((name) => !isBesideState(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(path, name), 'utf8')]));
}

function stage(): void {
  write(directory, { ...before, lock: '', 'lock.json': '{}' });
  write(stageReplacement(directory, 'x'), after);
}

test('the new state takes the place of the old one, which is kept; the lock stays', () => {
  stage();
  const kept = commitReplacement(directory, 'x');
  expect(kept).toBe(join(directory, 'before-restore-x'));
  expect(filesIn(directory)).toEqual(after);
  expect(filesIn(kept ?? '')).toEqual(before);
  expect(statSync(kept ?? '').mode & 0o777).toBe(0o700);
  expect(readdirSync(directory).sort()).toEqual([
    'before-restore-x',
    'ca.key',
    'lock',
    'lock.json',
    'palyra.db',
    'revocations.log',
  ]);
  expect(finishReplacement(directory)).toBeUndefined();
});

test('of an empty directory nothing is kept', () => {
  write(stageReplacement(directory, 'x'), after);
  expect(commitReplacement(directory, 'x')).toBeUndefined();
  expect(readdirSync(directory).sort()).toEqual(Object.keys(after).sort());
});

test('a crash at any step leaves the old state whole or the new one, as the next holder of the lock finds it', async () => {
  const found = new Set<string>();
  for (let crashAt = 0; ; crashAt++) {
    stage();
    let steps = 0;
    let crashed = false;
    try {
      commitReplacement(directory, 'x', () => {
        if (steps++ === crashAt) throw new Error('crash');
      });
    } catch {
      crashed = true;
    }
    // Whoever comes next crashes as well, twice, and then one gets through.
    for (let again = 0; crashed && again < 2; again++) {
      let done = 0;
      try {
        finishReplacement(directory, () => {
          if (done++ === again) throw new Error('crash');
        });
      } catch {}
    }
    rmSync(join(directory, 'lock'));
    rmSync(join(directory, 'lock.json'));
    (await openStateDirectory(directory, { program: 'test' })).release();
    const state = filesIn(directory);
    expect([before, after]).toContainEqual(state);
    found.add(JSON.stringify(state));
    if (state['ca.key'] === 'new key') expect(filesIn(join(directory, 'before-restore-x'))).toEqual(before);
    expect(readdirSync(directory).filter((name) => name.startsWith('restore.'))).toEqual([]);
    rmSync(directory, { recursive: true });
    mkdirSync(directory, { mode: 0o700 });
    if (!crashed) break;
    expect(crashAt).toBeLessThan(40);
  }
  expect(found.size).toBe(2);
});

test('the holder of the lock says that it finished a restore', async () => {
  stage();
  let steps = 0;
  expect(() =>
    commitReplacement(directory, 'x', () => {
      if (steps++ === 3) throw new Error('crash');
    }),
  ).toThrow('crash');
  for (const name of ['lock', 'lock.json']) rmSync(join(directory, name));
  const messages: string[] = [];
  const log = { warn: (_fields: object, message: string) => messages.push(message) };
  (await openStateDirectory(directory, { program: 'test', log })).release();
  expect(messages).toEqual(['Finished a restore that was broken off']);
  expect(filesIn(directory)).toEqual(after);
});
