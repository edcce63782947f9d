import { expect, it } from 'vitest';
import type { OfferedCapability } from '../../src/actors/device/record.js';
import { CompiledSurface } from '../../src/actors/device/surface.js';
import { Grants } from '../../src/actors/surface/grants.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Catalog } from '../../src/plugins/catalog.js';
import { ValidatorCache } from '../../src/plugins/validators.js';
import { inlineReviewer } from '../../src/testing/inline-reviewer.js';
import { sampleDevice, start } from './samples.js';

const approver = verifiedCaller({ kind: 'operator', name: 'ada', role: 'approver' });
const offer = (capability: string, plugin: string): OfferedCapability => ({
  digest: `digest of ${capability}`,
  capability,
  plugin,
  pluginVersion: '1.0.0',
  buildDigest: 'build 1',
});
const [print, scan, other] = [offer('print', 'printer'), offer('scan', 'scanner'), offer('other', 'off')];
const settings = new Map([
  ['printer', { queue: 'front' }],
  ['scanner', { secret: 'x' }],
  ['off', { secret: 'y' }],
]);

async function open(pin: 'descriptor' | 'build' = 'descriptor') {
  const store = new MemoryStore();
  const clock = new SimulatedClock(start);
  const grants = await Grants.open(store, clock);
  const catalog = new Catalog(new ValidatorCache());
  const policy = { enabled: new Set(['printer', 'scanner']), settings };
  return CompiledSurface.open({ store, catalog, policy, reviewer: inlineReviewer, clock, pin, grants });
}

const approved = ({ digest, capability }: OfferedCapability) => ({
  digest,
  capability,
  approvedBy: 'operator:ada',
  approvedAt: start,
});

it("gives settings for what runs on an operator's word, and none to a node that only claims to have the plugin", async () => {
  const surface = await open();
  const device = sampleDevice({
    offered: [print, scan, other],
    approvals: [approved(print), approved(other)],
  });
  const effective = surface.effective(device);
  expect(effective.surface.map(({ capability, status }) => [capability, status])).toEqual([
    ['print', 'accepted'],
    ['scan', 'not_approved'],
    ['other', 'not_enabled'],
  ]);
  expect(effective.settings).toEqual([{ plugin: 'printer', settings: Buffer.from('{"queue":"front"}') }]);
  surface.configure({ enabled: new Set(['off']), settings });
  expect(surface.effective(device).settings.map(({ plugin }) => plugin)).toEqual(['off']);
});

it('counts a grant for devices with all of its labels, and under pin: build for its build', async () => {
  const draft = { ...print, labels: { role: 'edge', site: 'b' }, reason: '' };
  for (const pin of ['descriptor', 'build'] as const) {
    const surface = await open(pin);
    await surface.grants.add(approver, draft);
    const state = (labels: Record<string, string>, buildDigest = 'build 1') =>
      surface.state(sampleDevice({ labels }), { ...print, buildDigest });
    expect(state({ role: 'edge', site: 'b', more: 'x' })).toBe('approved');
    expect(state({ role: 'edge' })).toBe('pending');
    expect(state({ role: 'edge', site: 'c' })).toBe('pending');
    expect(state({ role: 'edge', site: 'b' }, 'build 2')).toBe(pin === 'build' ? 'pending' : 'approved');
  }
});
