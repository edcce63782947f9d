import { expect, it } from 'vitest';
import { sampleDescriptor } from '../../../test/model/samples.js';
import type { Descriptor } from '../../plugins/descriptor.js';
import { descriptorDigest } from '../../plugins/digest.js';
import type { DescriptorAnnouncement, PluginAnnouncement } from '../link/frames.js';
import { digestOfSurface, readAnnouncement } from './announcement.js';

function announce(
  descriptor: Descriptor,
  changes: Partial<DescriptorAnnouncement> = {},
): DescriptorAnnouncement {
  return {
    digest: descriptorDigest(descriptor),
    capability: descriptor.name,
    descriptor: Buffer.from(JSON.stringify(descriptor)),
    ...changes,
  };
}

const plugin = (...descriptors: DescriptorAnnouncement[]): PluginAnnouncement => ({
  name: 'lab',
  version: '1.0.0',
  buildDigest: 'b',
  descriptors,
});

const echo = sampleDescriptor();

it('reads what a node offers as data', () => {
  const [read] = readAnnouncement([plugin(announce(echo))]);
  expect(read).toEqual({
    digest: descriptorDigest(echo),
    capability: 'echo',
    plugin: 'lab',
    pluginVersion: '1.0.0',
    buildDigest: 'b',
    descriptor: echo,
  });
});

const deep = JSON.stringify({ ...echo, input: 'X' }).replace(
  '"X"',
  `${'{"not":'.repeat(500)}true${'}'.repeat(500)}`,
);
const proto = JSON.stringify(echo).replace(
  '"examples":[]',
  '"examples":[{"title":"x","input":{"__proto__":{}}}]',
);
const endless = JSON.stringify({ ...echo, input: { type: 'number', maximum: 0 } }).replace(
  '"maximum":0',
  '"maximum":1e999',
);
const many = Array.from({ length: 257 }, (_, i) => announce(sampleDescriptor({ name: `c${i}` })));

it.each([
  ['is not JSON', [plugin(announce(echo, { descriptor: Buffer.from('{') }))], 'plugins/0/descriptors/0'],
  [
    'is not a descriptor',
    [plugin(announce(echo, { descriptor: Buffer.from('{}') }))],
    'plugins/0/descriptors/0',
  ],
  ['is too deep', [plugin(announce(echo, { descriptor: Buffer.from(deep) }))], 'plugins/0/descriptors/0'],
  [
    'has a __proto__ key',
    [plugin(announce(echo, { descriptor: Buffer.from(proto) }))],
    'plugins/0/descriptors/0',
  ],
  [
    'has a number that is read as infinity',
    [plugin(announce(echo, { descriptor: Buffer.from(endless) }))],
    'plugins/0/descriptors/0',
  ],
  ['is too large', [plugin(announce(echo, { descriptor: Buffer.alloc(65_537) }))], 'plugins/0/descriptors/0'],
  ['has another digest', [plugin(announce(echo, { digest: 'f' }))], 'plugins/0/descriptors/0'],
  ['names another capability', [plugin(announce(echo, { capability: 'other' }))], 'plugins/0/descriptors/0'],
  ['names another plugin', [{ ...plugin(announce(echo)), name: 'evil' }], 'plugins/0/descriptors/0'],
  ['is offered twice', [plugin(announce(echo)), plugin(announce(echo))], 'plugins/1/descriptors/0'],
  ['is one too many', [plugin(...many)], 'plugins/0/descriptors/256'],
])('refuses a descriptor that %s and says where it is', (_why, plugins, field) => {
  expect(() => readAnnouncement(plugins)).toThrow(
    expect.objectContaining({
      code: 'session.invalid_announcement',
      fields: expect.arrayContaining([expect.objectContaining({ field })]),
    }),
  );
});

it('gives a set of capabilities one digest, whatever their order', () => {
  const [a, b] = [{ digest: 'a' }, { digest: 'b' }];
  expect(digestOfSurface([a, b])).toBe(digestOfSurface([b, a]));
  expect(digestOfSurface([a])).not.toBe(digestOfSurface([a, b]));
});

it('names the place of a number that is too large in the descriptor', () => {
  const offer = [plugin(announce(echo, { descriptor: Buffer.from(endless) }))];
  expect(() => readAnnouncement(offer)).toThrow(
    expect.objectContaining({
      fields: expect.arrayContaining([expect.objectContaining({ field: '/input/maximum' })]),
    }),
  );
});
