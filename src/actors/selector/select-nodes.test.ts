import { beforeAll, expect, it } from 'vitest';
import { sampleDevice, silent } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { MemoryRevocations } from '../../testing/memory-revocations.js';
import { Devices } from '../device/devices.js';
import type { DeviceRecord } from '../device/record.js';
import { toOperation } from '../records.js';
import { selectNodes } from './select-nodes.js';

let devices: Devices;

function device(
  name: string,
  labels: DeviceRecord['labels'],
  platform: string,
  capability: string,
  state: DeviceRecord['state'] = 'trusted',
): DeviceRecord {
  const sample = sampleDevice({ id: `${name.toUpperCase().replaceAll('-', '')}23` });
  return {
    ...sample,
    name,
    labels,
    state,
    facts: { ...sample.facts, platform, arch: 'x64' },
    offered: [{ digest: 'd', capability, plugin: 'p', pluginVersion: '1.0.0', buildDigest: 'b' }],
  };
}

beforeAll(async () => {
  const store = new MemoryStore();
  const all = [
    device('web-b', { role: 'edge', site: 'Berlin Mitte' }, 'linux', 'system.health'),
    device('web-a', { role: 'edge' }, 'darwin', 'echo'),
    device('build-7', { role: 'build', empty: '' }, 'linux', 'system.health'),
    device('gone', { role: 'edge' }, 'linux', 'echo', 'revoked'),
  ];
  await store.commit(all.map((one) => toOperation('device', one.id, { ...one, version: 1 })));
  const clock = new SimulatedClock();
  devices = await Devices.open({ store, revocations: new MemoryRevocations(), clock, log: silent });
});

const named = (text: string | undefined): readonly string[] =>
  selectNodes(devices, text).map(({ name }) => name);

it.each<readonly [string, readonly string[]]>([
  ['role=edge', ['web-a', 'web-b']],
  ['role=edge and platform:linux', ['web-b']],
  ['not role=edge', ['build-7']],
  ['role=build or web-a', ['build-7', 'web-a']],
  ['WEBA23', ['web-a']],
  ['capability:system.*', ['build-7', 'web-b']],
  ['capability:*h*', ['build-7', 'web-a', 'web-b']],
  ['name:web-* and not (web-a)', ['web-b']],
  ['name:*b*b', ['web-b']],
  ['name:w*web-a or name:build-7*7', []],
  ['arch:x64', ['build-7', 'web-a', 'web-b']],
  ['site="Berlin Mitte"', ['web-b']],
  ['empty=""', ['build-7']],
  ['missing=""', []],
])('%s means %j, by name, and none that is shut out', (text, expected) => {
  if (expected.length > 0) expect(named(text)).toEqual(expected);
  else expect(() => named(text)).toThrowError(expect.objectContaining({ code: 'selector.matches_nothing' }));
});

it('means every trusted node only when nothing is said', () => {
  expect(named(undefined)).toEqual(['build-7', 'web-a', 'web-b']);
  expect(() => named('  ')).toThrowError(expect.objectContaining({ code: 'selector.invalid' }));
});

it('asks what was meant by a label that nothing has', () => {
  const hint = (text: string): unknown => {
    try {
      return named(text);
    } catch (thrown) {
      return (thrown as { hint?: string }).hint;
    }
  };
  expect(hint('roll=edge')).toBe("No node has a label roll. Did you mean 'role'?");
  expect(hint('platform=linux')).toBe("No node has a label platform. Did you mean 'platform:'?");
  expect(hint('role=edgy')).toContain('palyra inventory');
});

it('refuses a node that is unknown or shut out, also where it is to be left out', () => {
  expect(() => named('not web-c')).toThrowError(expect.objectContaining({ code: 'dispatch.unknown_node' }));
  expect(() => named('role=edge and not gone')).toThrowError(
    expect.objectContaining({ code: 'dispatch.not_trusted' }),
  );
});
