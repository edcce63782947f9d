import type { AuthorityView } from '../../../actors/authority/view.js';
import type { InventoryEntry } from '../../../actors/device/inventory-view.js';
import type { DeviceView } from '../../../actors/device/view.js';
import type { DispatchRecord } from '../../../actors/dispatch/record.js';
import type { ExplanationView } from '../../../actors/explanation-view.js';
import { deviceIdOf } from '../../../actors/identity/device-id.js';
import type { PairingCodeView, PairingView } from '../../../actors/pairing/view.js';
import type { PluginView } from '../../../actors/plugin-control.js';
import type { PruneJob } from '../../../actors/pruning/view.js';
import type { GrantRecord } from '../../../actors/surface/grants.js';
import type { SurfaceView } from '../../../actors/surface/view.js';
import type { Descriptor } from '../../../plugins/descriptor.js';

/** The time at which samples were made: 2026-01-02T03:04:05.678Z. */
export const sampleTime = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

const digest = 'ab'.repeat(32);

/** A device id that differs for each seed from 0 to 255. */
export function sampleDeviceId(seed = 1): string {
  return deviceIdOf(new Uint8Array(32).fill(seed));
}

/** An id of that kind, ending in the number. */
export function sampleId(prefix: 'cl' | 'pc' | 'pr' | 'dp' | 'gr' | 'fo', number = 1): string {
  return `${prefix}_01kdy${String(number).padStart(21, '0')}`;
}

export const sampleFacts = {
  hostname: 'build-7',
  platform: 'linux',
  arch: 'x64',
  osRelease: '6.8.0',
  nodeVersion: '20.20.2',
  palyraVersion: '0.1.0',
} as const;

export const sampleDescriptor: Descriptor = {
  name: 'echo',
  title: 'Echo',
  description: 'Returns its input.',
  input: { type: 'object' },
  output: true,
  timeout: '30s',
  concurrency: 4,
  mediation: { mode: 'none' },
  readOnly: true,
  idempotent: true,
  destructive: false,
  examples: [{ title: 'A text', input: { text: 'hello' }, output: { text: 'hello' } }],
  plugin: 'echo',
  publisher: 'palyra',
  isolation: 'inline',
  permissions: {},
};

/** A code that has led to the sample pairing. */
export function sampleCode(given: Partial<PairingCodeView> = {}): PairingCodeView {
  return {
    id: sampleId('pc'),
    version: 2,
    state: 'bound',
    method: 'join',
    purpose: 'builds',
    labels: { team: 'infra' },
    wrongProofs: [],
    boundTo: sampleDeviceId(),
    pairingId: sampleId('pr'),
    mintedBy: 'operator:local',
    createdAt: sampleTime,
    updatedAt: sampleTime,
    expiresAt: sampleTime + 600_000,
    ...given,
  };
}

export function samplePairing(given: Partial<PairingView> = {}): PairingView {
  return {
    id: sampleId('pr'),
    version: 1,
    state: 'pending_approval',
    deviceId: sampleDeviceId(),
    method: 'join',
    codeId: sampleId('pc'),
    transcript: 'cd'.repeat(32),
    wordsTranscript: 'cd'.repeat(32),
    fingerprintWords: ['orbit', 'lemon', 'vessel', 'absorb', 'quick'],
    csrDigest: digest,
    surfaceDigest: digest,
    requested: [
      {
        digest,
        capability: 'echo',
        plugin: 'echo',
        pluginVersion: '1.0.0',
        buildDigest: digest,
        descriptor: sampleDescriptor,
      },
    ],
    facts: sampleFacts,
    proposedName: 'build-7',
    peerAddress: '192.0.2.7',
    purpose: 'builds',
    labels: { team: 'infra' },
    alerts: [],
    createdAt: sampleTime,
    updatedAt: sampleTime,
    expiresAt: sampleTime + 600_000,
    ...given,
  };
}

export function sampleEntry(given: Partial<InventoryEntry> = {}): InventoryEntry {
  return {
    deviceId: sampleDeviceId(),
    name: 'build-7',
    trust: 'trusted',
    presence: 'online',
    labels: { team: 'infra' },
    facts: sampleFacts,
    capabilities: [
      {
        capability: 'echo',
        digest,
        plugin: 'echo',
        pluginVersion: '1.0.0',
        buildDigest: digest,
        status: 'available',
        decision: 'approved',
      },
    ],
    certificateExpiresAt: sampleTime + 86_400_000,
    lastSeenAt: sampleTime,
    connectedSince: sampleTime - 60_000,
    epoch: 3,
    queued: 0,
    inFlight: 1,
    alerts: [],
    actions: ['rename', 'revoke', 'remove', 'ban'],
    ...given,
  };
}

export function sampleAuthority(given: Partial<AuthorityView> = {}): AuthorityView {
  const lifetime = { notBefore: sampleTime, notAfter: sampleTime + 3_650 * 86_400_000 };
  return {
    cas: [
      { fingerprint: digest, state: 'issuing', since: sampleTime, devices: 3, caId: digest, ...lifetime },
    ],
    ...given,
  };
}

export function sampleDevice(given: Partial<DeviceView> = {}): DeviceView {
  return {
    deviceId: sampleDeviceId(),
    version: 7,
    name: 'build-7',
    trust: 'trusted',
    presence: 'online',
    identityKey: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE',
    labels: { team: 'infra' },
    facts: sampleFacts,
    certificates: [
      {
        fingerprint: digest,
        issuer: digest,
        serial: '1a',
        notBefore: sampleTime,
        notAfter: sampleTime + 86_400_000,
        pending: false,
      },
    ],
    approvals: [{ digest, capability: 'echo', approvedBy: 'operator:local', approvedAt: sampleTime }],
    epoch: 3,
    alerts: [],
    clones: [],
    decisions: [],
    actions: ['rename', 'revoke', 'remove', 'ban'],
    createdAt: sampleTime,
    updatedAt: sampleTime,
    certificateExpiresAt: sampleTime + 86_400_000,
    lastSeenAt: sampleTime,
    connectedSince: sampleTime - 60_000,
    ...given,
  };
}

export function sampleGrant(given: Partial<GrantRecord> = {}): GrantRecord {
  return {
    id: sampleId('gr'),
    version: 1,
    state: 'standing',
    capability: 'system.health',
    digest: 'ef'.repeat(32),
    buildDigest: 'build-2',
    labels: { role: 'edge' },
    by: 'operator:local',
    reason: 'looked at it',
    createdAt: sampleTime,
    updatedAt: sampleTime,
    ...given,
  };
}

export function samplePlugin(given: Partial<PluginView> = {}): PluginView {
  return {
    plugin: 'system-health',
    state: 'loaded',
    file: '/srv/plugins/system-health/plugin.json',
    folder: '/srv/plugins/system-health',
    version: '2.0.0',
    publisher: 'Palyra',
    isolation: 'process',
    permissions: {},
    buildDigest: 'ab'.repeat(32),
    capabilities: [{ name: 'system.health', digest: 'ef'.repeat(32) }],
    ...given,
  };
}

export function sampleSurface(given: Partial<SurfaceView> = {}): SurfaceView {
  return {
    deviceId: sampleDeviceId(),
    node: 'build-7',
    capability: 'system.health',
    digest: 'ef'.repeat(32),
    plugin: 'system-health',
    pluginVersion: '2.0.0',
    buildDigest: 'build-2',
    standing: {
      isolation: 'process',
      enforced: ['fileSystem', 'childProcesses', 'environment'],
      disabled: 'it failed 5 times in 5 minutes',
    },
    state: 'pending',
    enabled: true,
    verdict: 'wider',
    changes: [
      { pointer: '/timeout', kind: 'wider', sentence: 'timeout: raised from 30s to 1h' },
      { pointer: '/title', kind: 'neutral', sentence: 'title: reads "Health"' },
    ],
    approved: {
      digest: 'cd'.repeat(32),
      capability: 'system.health',
      approvedBy: 'operator:local',
      approvedAt: sampleTime,
      buildDigest: 'build-1',
    },
    actions: ['approve', 'reject', 'revoke'],
    ...given,
  };
}

export function sampleExplanation(given: Partial<ExplanationView> = {}): ExplanationView {
  return {
    kind: 'dispatch',
    id: sampleId('dp'),
    title: 'echo on build-7',
    address: `dispatch/${sampleId('dp')}`,
    state: 'queued',
    actorState: 'queued',
    ended: false,
    since: sampleTime,
    description: 'It waits for its node to connect',
    notes: ['Node build-7 is offline, never seen'],
    history: [
      {
        version: 1,
        at: sampleTime,
        event: 'create',
        by: 'operator:local',
        from: '',
        to: 'queued',
        note: 'now',
      },
    ],
    accepts: [
      {
        event: 'cancel',
        sender: 'an operator with the role invoker',
        permission: true,
        branches: [
          { guard: 'may cancel', target: 'ending', description: 'It ends as cancelled' },
          { description: 'Or not' },
        ],
      },
      {
        event: 'offer',
        sender: 'a dispatch',
        permission: false,
        branches: [{ description: 'It hands through what does not move it' }],
      },
    ],
    deadlines: [{ label: 'deliver by', event: 'deadline', at: sampleTime + 60_000 }],
    next: { at: sampleTime + 60_000, label: 'deliver by', leadsTo: ['It ends as expired'] },
    ...given,
  };
}

export function sampleDispatch(given: Partial<DispatchRecord> = {}): DispatchRecord {
  return {
    id: sampleId('dp'),
    version: 1,
    state: 'succeeded',
    deviceId: sampleDeviceId(),
    capability: 'echo',
    descriptorDigest: digest,
    input: { text: 'hello' },
    caller: 'operator:local',
    labels: {},
    repeatable: true,
    timeoutMs: 30_000,
    mediationTimeoutMs: 0,
    createdAt: sampleTime,
    updatedAt: sampleTime + 3,
    deliverBy: sampleTime + 30_000,
    latestEnd: sampleTime + 60_000,
    sentInEpoch: 3,
    deliveredAt: sampleTime + 1,
    finishedAt: sampleTime + 3,
    outcome: { state: 'succeeded', output: { text: 'hello' }, durationMs: 1.5, started: true },
    steps: [{ at: sampleTime, to: 'queued', event: 'create', by: 'operator:local' }],
    ...given,
  };
}

export function samplePruneJob(given: Partial<PruneJob> = {}): PruneJob {
  return {
    number: 1,
    state: 'running',
    by: 'operator:local',
    createdAt: sampleTime,
    looked: 2_000,
    matched: 20,
    pruned: 20,
    spared: 0,
    dryRun: false,
    ...given,
  };
}
