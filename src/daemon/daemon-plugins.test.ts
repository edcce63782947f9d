import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writePlugin } from '../../test/support/plugin-folder.js';
import type { PluginPolicy } from '../actors/device/surface.js';
import { verifiedCaller } from '../kernel/authority.js';
import { readConfig } from './config/daemon-config.js';
import { DaemonPlugins } from './daemon-plugins.js';

const admin = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
const log = { debug() {}, info() {}, warn() {}, error() {} };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palyra-daemon-plugins-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const config = {
  type: 'object',
  properties: { queue: { type: 'string' } },
  required: ['queue'],
  additionalProperties: false,
};

/** A daemon's plugins by what palyra.yaml says of them. */
async function open(plugins: object): Promise<DaemonPlugins> {
  configure(plugins);
  const reread = () => readConfig({ file: join(folder, 'palyra.yaml'), env: {}, flags: {} });
  return DaemonPlugins.open({ reading: reread(), reread, log });
}

function configure(plugins: object): void {
  writeFileSync(join(folder, 'palyra.yaml'), JSON.stringify({ plugins: { paths: ['.'], ...plugins } }));
}

const stateOf = async (plugins: DaemonPlugins, name: string) => (await plugins.get(admin, name))[0];

it('has a plugin off whose settings are wrong at the start, and says where they are written', async () => {
  writePlugin(folder, { name: 'printer', manifest: { config } });
  const plugins = await open({ enabled: ['printer'], settings: { printer: { queue: 7 } } });
  expect(plugins.policy.enabled.has('printer')).toBe(false);
  expect(await stateOf(plugins, 'printer')).toMatchObject({
    state: 'quarantined',
    file: expect.stringMatching(/palyra\.yaml:1:\d+$/),
    fault: { code: 'plugin.config_invalid', pointer: '/plugins/settings/printer/queue' },
  });
});

it('takes descriptors in and out of the catalog as folders change, and tells of the new policy', async () => {
  const plugins = await open({ enabled: ['printer'] });
  expect(await stateOf(plugins, 'printer')).toMatchObject({ state: 'not_installed' });
  const before = plugins.catalog.size;
  const told: PluginPolicy[] = [];
  plugins.onChange((policy) => told.push(policy));
  const at = writePlugin(folder, { name: 'printer' });
  await plugins.reload(admin);
  expect(plugins.catalog.digestsOf('printer.run')).toHaveLength(1);
  rmSync(at, { recursive: true });
  configure({ enabled: ['printer', 'echo'], settings: { echo: {} } });
  await plugins.reload(admin);
  expect(plugins.catalog.size).toBe(before);
  expect(told.map(({ enabled }) => [...enabled])).toEqual([['printer'], ['printer', 'echo']]);
});

it('reloads for an admin only, and for nobody when the new configuration is wrong: then all stays', async () => {
  writePlugin(folder, { name: 'printer', manifest: { config } });
  const plugins = await open({ enabled: ['printer'], settings: { printer: { queue: 'a' } } });
  const approver = verifiedCaller({ kind: 'operator', name: 'bob', role: 'approver' });
  await expect(plugins.reload(approver)).rejects.toMatchObject({ code: 'plugins.forbidden' });
  const told: PluginPolicy[] = [];
  plugins.onChange((policy) => told.push(policy));
  configure({ enabled: [], settings: { printer: { queue: 7 } } });
  await expect(plugins.reload(admin)).rejects.toMatchObject({
    code: 'config.invalid',
    fields: [{ field: '/plugins/settings/printer/queue' }],
  });
  expect(told).toEqual([]);
  expect(plugins.policy.enabled.has('printer')).toBe(true);
  await expect(plugins.get(admin, 'printr')).rejects.toMatchObject({
    code: 'plugins.not_found',
    hint: "Did you mean 'printer'?",
  });
});
