import type { PutOperation, Store } from '../../kernel/store.js';
import { eachStored, fromStored, toOperation } from '../records.js';
import { fanoutStep, isOpen, withMembers } from './members.js';
import { type FanoutMember, type FanoutRecord, liveFanoutStates } from './record.js';

/**
 * The ends of the fan-outs that had not ended when a backup was made. What waited then may have run since, so it becomes
 * `outcome_unknown` and is not started.
 */
export async function restoredFanouts(store: Store, now: number): Promise<readonly PutOperation[]> {
  const operations: PutOperation[] = [];
  for await (const stored of eachStored(store, 'fanout', liveFanoutStates)) {
    const record = fromStored<FanoutRecord>(stored);
    const unknown: Partial<FanoutMember> = { state: 'outcome_unknown', reason: 'restored' };
    const open = record.members.filter(isOpen).map(({ deviceId }) => [deviceId, unknown] as const);
    const cause = { event: 'restored', by: 'system:daemon', note: 'restored' };
    const ended = fanoutStep(withMembers(record, new Map(open), now), 'stopped', now, cause);
    operations.push(toOperation('fanout', '', { ...ended, finishedAt: now, version: record.version + 1 }));
  }
  return operations;
}
