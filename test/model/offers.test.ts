import { describe, expect, it } from 'vitest';
import type { DeviceRecord } from '../../src/actors/device/record.js';
import type { RequestedCapability } from '../../src/actors/pairing/record.js';
import { Offers, offerLimits } from '../../src/actors/surface/offers.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { descriptorDigest } from '../../src/plugins/digest.js';
import { sampleDescriptor, sampleDevice, start } from './samples.js';

/** An offered capability whose descriptor has about so many bytes. */
function offer(capability: string, bytes = 500): RequestedCapability {
  const blank = sampleDescriptor({ name: capability, description: '' });
  const fill = Math.max(0, bytes - JSON.stringify(blank).length);
  const descriptor = { ...blank, description: 'x'.repeat(fill) };
  const digest = descriptorDigest(descriptor);
  return { digest, capability, plugin: 'lab', pluginVersion: '1.0.0', buildDigest: 'b', descriptor };
}

const many = (count: number, bytes?: number, prefix = 'c'): readonly RequestedCapability[] =>
  Array.from({ length: count }, (_, index) => offer(`${prefix}${index}`, bytes));

function open(
  limits: { -readonly [Limit in keyof typeof offerLimits]?: number } = {},
  store = new MemoryStore(),
  devices: readonly DeviceRecord[] = [],
): Promise<Offers> {
  const options = { store, devices: { all: () => devices.values() }, clock: { now: () => start } };
  return Offers.open({ ...options, limits: { ...offerLimits, ...limits } });
}

describe('what nodes offer and nobody approved', () => {
  it('is kept up to so many bytes of one device; what is beyond can not be kept, the rest is', async () => {
    const offers = await open({ deviceBytes: 10_000 });
    const offered = many(12, 1_000);
    expect(await offers.replace('A', offered)).toEqual(['c10', 'c11']);
    expect(offered.map(({ digest }) => offers.has(digest)).lastIndexOf(true)).toBe(9);
    expect(await offers.replace('B', [offer('small'), offer('too_big', 20_000)])).toEqual(['too_big']);
  });

  it('is kept up to so many bytes of all devices, and what one lets go of makes room for another', async () => {
    const offers = await open({ bytes: 10_000 });
    expect(await offers.replace('A', many(6, 1_000))).toEqual([]);
    expect(await offers.replace('B', many(6, 1_000, 'd'))).toEqual(['d4', 'd5']);
    await offers.replace('A', []);
    expect(await offers.replace('B', many(6, 1_000, 'd'))).toEqual([]);
  });

  it('is kept up to a number of all devices, each descriptor counted once however many offer it', async () => {
    const offers = await open({ count: 3 });
    for (const device of ['A', 'B', 'C', 'D']) expect(await offers.replace(device, many(3))).toEqual([]);
    expect(await offers.replace('E', [...many(3), offer('more')])).toEqual(['more']);
    expect(offers.get(offer('c0').digest)?.name).toBe('c0');
  });

  it('stays within the limits when devices offer at once', async () => {
    const offers = await open({ count: 4 });
    const left = await Promise.all(
      ['a', 'b', 'c'].map((prefix) => offers.replace(prefix, many(2, undefined, prefix))),
    );
    expect(left.flat()).toEqual(['c0', 'c1']);
  });

  it('is there after a restart while a device offers it, and gone otherwise', async () => {
    const store = new MemoryStore();
    const [one, other] = many(2);
    if (!one || !other) throw new Error('two offers');
    await (await open({}, store)).replace('A', [one, other]);
    const again = await open({}, store, [sampleDevice({ id: 'A', offered: [one] })]);
    expect([again.has(one.digest), again.has(other.digest)]).toEqual([true, false]);
  });
});
