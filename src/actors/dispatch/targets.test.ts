import { beforeAll, expect, it } from 'vitest';
import { sampleDescriptor, sampleDevice, silent } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { Catalog } from '../../plugins/catalog.js';
import { descriptorDigest } from '../../plugins/digest.js';
import { ValidatorCache } from '../../plugins/validators.js';
import { inlineReviewer } from '../../testing/inline-reviewer.js';
import { MemoryRevocations } from '../../testing/memory-revocations.js';
import { Devices } from '../device/devices.js';
import type { DeviceRecord } from '../device/record.js';
import { CompiledSurface } from '../device/surface.js';
import { toOperation } from '../records.js';
import { Grants } from '../surface/grants.js';
import { resolveCapability, resolveNode } from './targets.js';

const echo = sampleDescriptor();
const health = sampleDescriptor({ name: 'system.health' });
const shut = sampleDescriptor({ name: 'shut', plugin: 'other' });
const offer = ({ name, plugin }: typeof echo, digest: string) => ({
  digest,
  capability: name,
  plugin,
  pluginVersion: '1.0.0',
  buildDigest: 'b',
});

let devices: Devices;
let surface: CompiledSurface;
const catalog = new Catalog(new ValidatorCache());

function device(id: string, name: string, state: DeviceRecord['state'] = 'trusted'): DeviceRecord {
  const approved = [echo, shut].map((one) => descriptorDigest(one));
  return sampleDevice({
    id,
    state,
    name,
    approvals: approved.map((digest) => ({ digest, capability: '', approvedBy: '', approvedAt: 0 })),
    offered: [echo, health, shut].map((one) => offer(one, descriptorDigest(one))),
  });
}

beforeAll(async () => {
  const store = new MemoryStore();
  surface = await CompiledSurface.open({
    store,
    catalog,
    policy: { enabled: new Set(['lab']), settings: new Map() },
    reviewer: inlineReviewer,
    clock: new SimulatedClock(),
    pin: 'descriptor',
    grants: await Grants.open(store, new SimulatedClock()),
  });
  for (const one of [echo, health, shut]) catalog.add(one, 'folder');
  const all = [
    device('ABCDEF2', 'worker'),
    device('ABCXYZ3', 'builder'),
    device('QQQ4', 'abc'),
    device('RRR5', 'stolen', 'revoked'),
    device('SSS6', 'gone', 'removed'),
    device('TTT7', 'unwanted', 'banned'),
  ];
  await store.commit(all.map((one) => toOperation('device', one.id, one)));
  devices = await Devices.open({
    store,
    revocations: new MemoryRevocations(),
    clock: new SimulatedClock(),
    log: silent,
  });
});

it.each([
  ['worker', 'ABCDEF2'],
  ['ABCDEF2', 'ABCDEF2'],
  ['abcd', 'ABCDEF2'],
  ['ABC-XYZ', 'ABCXYZ3'],
  ['abc', 'QQQ4'],
])('finds %s', (node, id) => {
  expect(resolveNode(devices, node).id).toBe(id);
});

it.each([
  ['wroker', 'dispatch.unknown_node'],
  ['', 'dispatch.unknown_node'],
  ['--', 'dispatch.unknown_node'],
  ['gone', 'dispatch.unknown_node'],
  ['ABC', 'dispatch.ambiguous_node'],
  ['stolen', 'dispatch.not_trusted'],
])('refuses "%s" with %s', (node, code) => {
  expect(() => resolveNode(devices, node)).toThrow(expect.objectContaining({ code }));
});

it('names near matches of a node and of a capability', () => {
  expect(() => resolveNode(devices, 'wroker')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('worker') }),
  );
  expect(() => resolveCapability(resolveNode(devices, 'worker'), 'ehco', surface, catalog)).toThrow(
    expect.objectContaining({ code: 'dispatch.unknown_capability', hint: expect.stringContaining('echo') }),
  );
});

it('finds what is offered, enabled and approved, and says what is missing', () => {
  const worker = resolveNode(devices, 'worker');
  expect(resolveCapability(worker, 'echo', surface, catalog).digest).toBe(descriptorDigest(echo));
  for (const [capability, part] of [
    ['system.health', 'not approved'],
    ['shut', 'not enabled'],
  ] as const) {
    expect(() => resolveCapability(worker, capability, surface, catalog)).toThrow(
      expect.objectContaining({ code: 'dispatch.not_approved', message: expect.stringContaining(part) }),
    );
  }
});
