import type { DeviceRecord } from '../../src/actors/device/record.js';
import type { PluginAnnouncement } from '../../src/actors/link/frames.js';
import type { NodePeer } from '../../src/actors/session/sessions.js';
import { Catalog } from '../../src/plugins/catalog.js';
import type { Descriptor } from '../../src/plugins/descriptor.js';
import { descriptorDigest } from '../../src/plugins/digest.js';
import { ValidatorCache } from '../../src/plugins/validators.js';

/** `once` may not be started twice, `again` may, `asked` may not and is asked for at the node. */
export type Capability = 'once' | 'again' | 'asked';

function descriptor(name: Capability): Descriptor {
  return {
    name,
    title: name,
    description: 'For tests.',
    input: { type: 'object' },
    output: { type: 'object' },
    timeout: '30s',
    concurrency: 8,
    mediation: { mode: name === 'asked' ? 'local' : 'none' },
    readOnly: false,
    idempotent: name === 'again',
    destructive: false,
    examples: [],
    plugin: 'lab',
    publisher: 'Test',
    isolation: 'inline',
    permissions: {},
  };
}

export const descriptors = (['once', 'again', 'asked'] as const).map(descriptor);
export const catalog = new Catalog(new ValidatorCache());
for (const one of descriptors) catalog.add(one, 'folder');

export const announced: readonly PluginAnnouncement[] = [
  {
    name: 'lab',
    version: '1.0.0',
    buildDigest: 'b',
    descriptors: descriptors.map((one) => ({
      digest: descriptorDigest(one),
      capability: one.name,
      descriptor: Buffer.from(JSON.stringify(one)),
    })),
  },
];

export const deviceId = 'LABNODE';

const facts = {
  hostname: 'lab',
  platform: 'linux',
  arch: 'x64',
  osRelease: '1',
  nodeVersion: '20',
  palyraVersion: '0',
};

/** The node as the daemon has it after its pairing: all that it offers is approved. */
export function labDevice(peer: NodePeer, now: number): DeviceRecord {
  const certificate = {
    fingerprint: peer.fingerprint,
    issuer: 'ca',
    serial: '1',
    notBefore: now,
    notAfter: peer.certificateEnds,
  };
  return {
    id: deviceId,
    version: 1,
    state: 'trusted',
    name: 'lab',
    identityKey: '',
    labels: {},
    facts,
    certificates: [certificate],
    approvals: descriptors.map((one) => ({
      digest: descriptorDigest(one),
      capability: one.name,
      approvedBy: 'operator:ada',
      approvedAt: now,
    })),
    offered: descriptors.map((one) => ({
      digest: descriptorDigest(one),
      capability: one.name,
      plugin: 'lab',
      pluginVersion: '1.0.0',
      buildDigest: 'b',
    })),
    epoch: 0,
    ticket: {},
    clones: [],
    alerts: [],
    decisions: [],
    createdAt: now,
    updatedAt: now,
  };
}
