import { expect, it } from 'vitest';
import { sampleDispatch } from '../../../test/model/samples.js';
import { LiveDispatches } from './live.js';

it('knows what has not ended, by id and by device in the order of creation', () => {
  const live = new LiveDispatches();
  for (const [id, deviceId] of [
    ['1', 'A'],
    ['2', 'B'],
    ['3', 'A'],
  ] as const)
    live.set(sampleDispatch({ id, deviceId }));
  live.set(sampleDispatch({ id: '1', deviceId: 'A', state: 'running' }));
  expect(live.idsOf('A')).toEqual(['1', '3']);
  expect(live.get('1')?.state).toBe('running');
  expect([live.size, live.countOf('A'), live.countOf('B'), live.countOf('C')]).toEqual([3, 2, 1, 0]);
  live.delete(sampleDispatch({ id: '1', deviceId: 'A' }));
  live.delete(sampleDispatch({ id: '2', deviceId: 'B' }));
  expect(live.idsOf('A')).toEqual(['3']);
  expect(live.idsOf('B')).toEqual([]);
  expect([...live.all()].map((record) => record.id)).toEqual(['3']);
});

it('counts the bytes of what has not ended, and says when there may be room', () => {
  const live = new LiveDispatches();
  const large = sampleDispatch({ id: '1', deviceId: 'A', input: 'x'.repeat(98) });
  const small = sampleDispatch({ id: '2', deviceId: 'A', input: {} });
  for (const record of [large, small, { ...large, version: 2 }]) live.set(record);
  expect([live.bytesOf('A'), live.bytesOf('B')]).toEqual([102, 0]);
  expect([live.roomIn('A', true, 0), live.roomIn('A', false, 0)]).toEqual([5_000, 60_000]);
  live.ended(large, 1_000);
  expect([live.bytesOf('A'), live.roomIn('A', true, 1_500)]).toEqual([2, 500]);
});
