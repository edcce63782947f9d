import { expect, test } from 'vitest';
import { permissionPlan, permittedEnvironment } from './permission-flags.js';

const node18 = new Set(['--max-old-space-size']);
const node20 = new Set(['--experimental-permission', '--allow-fs-read']);
const node24 = new Set(['--permission', '--experimental-permission']);
const node25 = new Set([...node24, '--allow-net']);

const base = { readable: ['/srv/plugin', '/opt/child.mjs'], workFolder: '/var/work' };
const plan = (permissions: Parameters<typeof permissionPlan>[0]['permissions'], known: ReadonlySet<string>) =>
  permissionPlan({ ...base, permissions, known });

test('a plugin that asks for nothing reads its code, and reads and writes its own folder', () => {
  expect(plan({}, node20)).toEqual({
    flags: [
      '--experimental-permission',
      '--allow-fs-read=/srv/plugin',
      '--allow-fs-read=/opt/child.mjs',
      '--allow-fs-read=/var/work',
      '--allow-fs-write=/var/work',
    ],
    enforced: ['fileSystem', 'childProcesses', 'environment'],
  });
});

test('what it asks for is added', () => {
  const fileSystem = { read: ['/etc/os-release'], write: ['/var/reports'] };
  const { flags } = plan({ fileSystem, childProcesses: true, network: ['example.com'] }, node25);
  for (const flag of [
    '--permission',
    '--allow-fs-read=/etc/os-release',
    '--allow-fs-write=/var/reports',
    '--allow-child-process',
    '--allow-net',
  ])
    expect(flags).toContain(flag);
});

test('it is said to be held to what it is held to', () => {
  expect(plan({}, node18)).toEqual({ flags: [], enforced: ['environment'] });
  expect(plan({ childProcesses: true }, node24).enforced).toEqual(['childProcesses', 'environment']);
  expect(plan({}, node25).enforced).toEqual(['fileSystem', 'network', 'childProcesses', 'environment']);
  expect(plan({ network: ['a.example'] }, node25).enforced).not.toContain('network');
});

test('a path that Node would read as several is not given to it', () => {
  expect(plan({ fileSystem: { read: ['/tmp/a,/etc'] } }, node20)).toEqual({
    flags: [],
    enforced: ['environment'],
  });
});

test('of the environment it sees what it names and what is there, and nothing that could change what runs', () => {
  const own = {
    LANG: 'C',
    HOME: '/home/ada',
    PALYRA_PASSPHRASE: 's',
    NODE_OPTIONS: '--require /tmp/x.js',
    LD_PRELOAD: '/tmp/x.so',
    DYLD_INSERT_LIBRARIES: '/tmp/x.dylib',
  };
  expect(permittedEnvironment({}, own)).toEqual({});
  expect(permittedEnvironment({ environment: [...Object.keys(own), 'MISSING', '__proto__'] }, own)).toEqual({
    LANG: 'C',
    HOME: '/home/ada',
  });
});
