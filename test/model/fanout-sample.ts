import type { FanoutRecord } from '../../src/actors/fanout/record.js';
import { start } from './samples.js';

/** The devices that it is for. */
export const fanoutTargets = ['A', 'B', 'C'] as const;

/** A fan-out that has begun. */
export function sampleFanoutRecord(changes: Partial<FanoutRecord> = {}): FanoutRecord {
  return {
    id: 'fo_1',
    version: 1,
    state: 'running',
    revision: 1,
    selector: '',
    capability: 'echo',
    caller: 'operator:ada',
    labels: {},
    queue: false,
    batch: 2,
    stopAfterFailures: 1,
    members: fanoutTargets.map((id) => ({ deviceId: id, name: id, state: 'waiting', revision: 1 })),
    createdAt: start,
    updatedAt: start,
    steps: [],
    ...changes,
  };
}
