import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ChildProgram, childProgram, type RunningChild } from '../../../test/support/child-program.js';
import { processIdentity } from './process-identity.js';
import { defaultStateDirectory, openStateDirectory } from './state-directory.js';

let base: string;
let path: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'palyra-state-'));
  path = join(base, 'deep', 'state');
});
afterEach(() => rm(base, { recursive: true, force: true }));

const options = { program: 'palyrad' };

describe('the directory', () => {
  test('is made with mode 0700, and so is all that the lock puts there', async () => {
    const state = await openStateDirectory(path, options);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(path))
      expect((await stat(join(path, name))).mode & 0o777, name).toBe(0o600);
    expect(state.file('state.db')).toBe(join(state.path, 'state.db'));
    state.release();
  });

  test('is refused when others have access, naming the command that repairs it', async () => {
    (await openStateDirectory(path, options)).release();
    await chmod(path, 0o750);
    await expect(openStateDirectory(path, options)).rejects.toMatchObject({
      code: 'state.exposed',
      message: expect.stringContaining('0750'),
      hint: expect.stringContaining(`chmod 700 ${path}`),
    });
  });

  test('gets its modes whatever the umask', async () => {
    for (const umask of [0, 0o277]) {
      const at = join(base, `umask-${umask}`);
      const before = process.umask(umask);
      try {
        (await openStateDirectory(at, options)).release();
      } finally {
        process.umask(before);
      }
      expect((await stat(at)).mode & 0o777).toBe(0o700);
      for (const name of await readdir(at))
        expect((await stat(join(at, name))).mode & 0o777, name).toBe(0o600);
    }
  });

  test('has the modes of what is in it mended, with a line in the log for each', async () => {
    (await openStateDirectory(path, options)).release();
    await writeFile(join(path, 'ca.key'), 'x', { mode: 0o644 });
    await mkdir(join(path, 'old'), { mode: 0o755 });
    await writeFile(join(path, 'old', 'palyra.db'), 'x', { mode: 0o666 });
    await writeFile(join(base, 'elsewhere'), 'x', { mode: 0o644 });
    await symlink(join(base, 'elsewhere'), join(path, 'link'));
    await chmod(join(path, 'old', 'palyra.db'), 0o666);
    const lines: object[] = [];
    (await openStateDirectory(path, { ...options, log: { warn: (fields) => lines.push(fields) } })).release();
    const real = await realpath(path);
    expect(lines).toEqual([
      { path: join(real, 'ca.key'), was: '0644', now: '0600' },
      { path: join(real, 'old'), was: '0755', now: '0700' },
      { path: join(real, 'old', 'palyra.db'), was: '0666', now: '0600' },
    ]);
    expect((await stat(join(path, 'old', 'palyra.db'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(base, 'elsewhere'))).mode & 0o777).toBe(0o644);
    lines.length = 0;
    (await openStateDirectory(path, { ...options, log: { warn: (fields) => lines.push(fields) } })).release();
    expect(lines).toEqual([]);
  });

  test('is refused when it is a file, or below one', async () => {
    await writeFile(join(base, 'file'), '');
    for (const wrong of [join(base, 'file'), join(base, 'file', 'below')]) {
      await expect(openStateDirectory(wrong, options)).rejects.toMatchObject({
        code: 'state.not_a_directory',
      });
    }
  });

  test('is refused when it belongs to another user', async () => {
    let foreign = '/';
    if (process.getuid?.() === 0) {
      (await openStateDirectory(path, options)).release();
      await chown(path, 12_345, 12_345);
      foreign = path;
    }
    await expect(openStateDirectory(foreign, options)).rejects.toMatchObject({ code: 'state.foreign_owner' });
  });
});

describe('the lock', () => {
  let program: ChildProgram;
  let child: RunningChild | undefined;
  beforeAll(async () => {
    program = await childProgram(new URL('../../../test/support/lock-child.ts', import.meta.url));
  });
  afterEach(async () => {
    await child?.kill();
    child = undefined;
  });
  afterAll(() => program.remove());

  const startHolder = async (at = path) => {
    child = program.start(at);
    expect(await child.line()).toBe('{"locked":true}');
    return child;
  };

  test('keeps a second process out and names the first by pid', async () => {
    const holder = await startHolder();
    await expect(openStateDirectory(path, options)).rejects.toMatchObject({
      code: 'state.locked',
      category: 'precondition',
      message: expect.stringContaining(`lock-child (pid ${holder.process.pid})`),
      details: { pid: holder.process.pid },
    });
  });

  test('keeps out a process that comes by a symbolic link', async () => {
    await startHolder();
    await symlink(path, join(base, 'link'));
    await expect(openStateDirectory(join(base, 'link'), options)).rejects.toMatchObject({
      code: 'state.locked',
    });
  });

  test('is free at once after kill -9, although its files are still there', async () => {
    const holder = await startHolder();
    await holder.kill();
    expect(await readdir(path)).toEqual(expect.arrayContaining(['lock', 'lock.json']));
    const state = await openStateDirectory(path, options);
    expect(JSON.parse(await readFile(join(path, 'lock.json'), 'utf8'))).toMatchObject({ pid: process.pid });
    state.release();
  });

  test('is not held up by a pid that another process has got since', async () => {
    (await openStateDirectory(path, options)).release();
    const reused = { ...processIdentity(process.pid), startedAt: 'another-boot/1', program: 'palyrad' };
    await writeFile(join(path, 'lock.json'), JSON.stringify(reused));
    (await openStateDirectory(path, options)).release();
  });

  test('never blames a process that only has the same pid', async () => {
    await startHolder();
    const reused = { pid: process.pid, startedAt: 'another-boot/1', program: 'innocent' };
    await writeFile(join(path, 'lock.json'), JSON.stringify(reused));
    await expect(openStateDirectory(path, options)).rejects.toMatchObject({
      code: 'state.locked',
      message: expect.stringContaining('another process whose pid is not known'),
    });
  });

  test('keeps out the same process too, and stays with the first', async () => {
    const state = await openStateDirectory(path, options);
    await expect(openStateDirectory(path, options)).rejects.toMatchObject({
      code: 'state.locked',
      details: { pid: process.pid },
    });
    child = program.start(path);
    expect(JSON.parse((await child.line()) ?? '')).toMatchObject({ code: 'state.locked' });
    state.release();
    state.release();
    await child.kill();
    await startHolder();
  });

  test('of many processes that start together exactly one gets it', async () => {
    const children = Array.from({ length: 5 }, () => program.start(path));
    const lines = await Promise.all(children.map((each) => each.line()));
    expect(lines.filter((line) => line === '{"locked":true}')).toHaveLength(1);
    const winner = children[lines.indexOf('{"locked":true}')];
    const refused = lines.filter((line) => line !== '{"locked":true}').map((line) => JSON.parse(line ?? ''));
    for (const envelope of refused)
      expect(envelope).toMatchObject({ code: 'state.locked', details: { pid: winner?.process.pid } });
    await Promise.all(children.map((each) => each.kill()));
  });

  test('says what to do when its file is damaged', async () => {
    (await openStateDirectory(path, options)).release();
    await writeFile(join(path, 'lock'), 'x'.repeat(5000));
    await expect(openStateDirectory(path, options)).rejects.toMatchObject({
      code: 'state.unusable',
      hint: expect.stringContaining('delete it'),
    });
  });
});

test.each([
  ['daemon', { PALYRA_STATE_DIR: '/a', XDG_STATE_HOME: '/x', HOME: '/h' }, '/a'],
  ['node', { PALYRA_STATE_DIR: '/a', PALYRA_NODE_STATE_DIR: '/b', HOME: '/h' }, '/b'],
  ['daemon', { XDG_STATE_HOME: '/x', HOME: '/h' }, '/x/palyra/daemon'],
  ['node', { XDG_STATE_HOME: '/x', HOME: '/h' }, '/x/palyra/node'],
  ['node', { XDG_STATE_HOME: 'relative', HOME: '/h' }, '/h/.local/state/palyra/node'],
  ['daemon', { PALYRA_STATE_DIR: '', HOME: '/h' }, '/h/.local/state/palyra/daemon'],
] as const)('the state directory of the %s with %o', (role, env, expected) => {
  expect(defaultStateDirectory(role, env)).toBe(expected);
});
