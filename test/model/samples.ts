import type { DeviceRecord } from '../../src/actors/device/record.js';
import type { DispatchRecord } from '../../src/actors/dispatch/record.js';
import type { DispatchOrder, NodeResult } from '../../src/actors/link/frames.js';
import type { Subject } from '../../src/actors/mediation/question.js';
import type { PairingRecord } from '../../src/actors/pairing/record.js';
import type { Descriptor } from '../../src/plugins/descriptor.js';

/** Sound values of the domain; each test changes the parts that it is about. */
export const start = Date.UTC(2026, 0, 1);

export function sampleDispatch(changes: Partial<DispatchRecord> = {}): DispatchRecord {
  return {
    id: 'dp_1',
    version: 0,
    state: 'queued',
    deviceId: 'LABNODE',
    capability: 'echo',
    descriptorDigest: 'd',
    input: {},
    caller: 'operator:ada',
    labels: {},
    repeatable: true,
    timeoutMs: 30_000,
    mediationTimeoutMs: 0,
    createdAt: start,
    updatedAt: start,
    deliverBy: start + 60_000,
    latestEnd: start + 90_000,
    sentInEpoch: 0,
    steps: [{ at: start, to: 'queued', event: 'create', by: 'operator:ada' }],
    ...changes,
  };
}

export function sampleOrder(changes: Partial<DispatchOrder> = {}): DispatchOrder {
  return {
    dispatchId: 'dp_1',
    capability: 'echo',
    descriptorDigest: 'd',
    input: Buffer.from('{}'),
    timeoutMs: 30_000,
    latestEndMs: start + 90_000,
    caller: 'operator:ada',
    mediationTimeoutMs: 0,
    repeatable: true,
    ...changes,
  };
}

export function sampleResult(changes: Partial<NodeResult> = {}): NodeResult {
  return {
    dispatchId: 'dp_1',
    outcome: 'succeeded',
    reason: '',
    output: Buffer.from('{"a":1}'),
    durationMs: 2,
    started: true,
    ...changes,
  };
}

/** A question; `remember: undefined` makes it one whose answer counts once. */
export function sampleSubject(
  changes: Partial<Omit<Subject, 'remember'>> & { readonly remember?: Subject['remember'] | undefined } = {},
): Subject {
  const { remember, ...rest } = {
    remember: { by: 'origin', value: 'https://example.com', mostMs: 3_600_000 } as const,
    ...changes,
  };
  return {
    dispatchId: 'dp_1',
    capability: 'open',
    descriptorDigest: 'd',
    title: 'Open',
    plugin: 'lab',
    publisher: 'Test',
    version: '1.0.0',
    build: 'b1',
    caller: 'operator:ada',
    input: { url: 'https://example.com/a' },
    ...rest,
    ...(remember === undefined ? {} : { remember }),
  };
}

export function samplePairing(changes: Partial<PairingRecord> = {}): PairingRecord {
  return {
    id: 'pr_1',
    version: 1,
    state: 'proving',
    deviceId: 'LABNODE',
    identityKey: '',
    codeId: 'pc_1',
    transcript: 't1',
    wordsTranscript: 't1',
    csr: '',
    csrDigest: 'c1',
    surfaceDigest: 's1',
    requested: [],
    facts: sampleFacts,
    proposedName: '',
    peerAddress: '192.0.2.1',
    purpose: '',
    labels: {},
    alerts: [],
    createdAt: start,
    updatedAt: start,
    expiresAt: start + 60_000,
    ...changes,
  };
}

export function sampleDevice(changes: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    id: 'LABNODE',
    version: 1,
    state: 'trusted',
    name: 'lab',
    identityKey: '',
    labels: {},
    facts: sampleFacts,
    certificates: [],
    approvals: [],
    offered: [],
    epoch: 0,
    ticket: {},
    clones: [],
    alerts: [],
    decisions: [],
    createdAt: start,
    updatedAt: start,
    ...changes,
  };
}

export const sampleFacts = {
  hostname: 'lab',
  platform: 'linux',
  arch: 'x64',
  osRelease: '1',
  nodeVersion: '20',
  palyraVersion: '0',
};

export function sampleDescriptor(changes: Partial<Descriptor> = {}): Descriptor {
  return {
    name: 'echo',
    title: 'Echo',
    description: 'For tests.',
    input: { type: 'object' },
    output: { type: 'object', properties: { a: { type: 'number' } } },
    timeout: '30s',
    concurrency: 8,
    mediation: { mode: 'none' },
    readOnly: false,
    idempotent: true,
    destructive: false,
    examples: [],
    plugin: 'lab',
    publisher: 'Test',
    isolation: 'inline',
    permissions: {},
    ...changes,
  };
}

export { silentLog as silent } from '../../src/testing/silent-log.js';
