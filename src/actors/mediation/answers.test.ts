import { beforeEach, describe, expect, it } from 'vitest';
import { sampleSubject, silent, start } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { systemClock } from '../../kernel/clock.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { RememberedAnswers } from './answers.js';

const hour = 3_600_000;
const minute = 60_000;
const subject = sampleSubject();
const web = (value: string) => ({ by: 'origin', value, mostMs: hour }) as const;

let clock: SimulatedClock;
let store: MemoryStore;
let answers: RememberedAnswers;

/** The same disk in another process, perhaps with another clock. */
function restart(now = clock.now()): void {
  clock = new SimulatedClock(now);
  answers = new RememberedAnswers(store, clock);
}

beforeEach(() => {
  clock = new SimulatedClock(start);
  store = new MemoryStore();
  answers = new RememberedAnswers(store, clock);
});

const holds = async (asked = subject): Promise<boolean> => (await answers.find(asked)) !== undefined;

describe('an answer that is remembered', () => {
  it.each([
    ['another capability', { capability: 'other' }],
    ['another descriptor', { descriptorDigest: 'other' }],
    ['another plugin', { plugin: 'other' }],
    ['another build', { build: 'b2' }],
    ['another caller', { caller: 'operator:eve' }],
    ['another origin', { remember: web('https://example.org') }],
    ['another scheme', { remember: web('http://example.com') }],
    ['a whole value', { remember: { ...web('https://example.com'), by: 'value' } as const }],
    ['nothing that may be remembered', { remember: undefined }],
  ])('does not count for %s', async (_what, changes) => {
    await answers.keep(subject, hour);
    expect(await holds()).toBe(true);
    expect(await holds(sampleSubject({ input: {}, dispatchId: 'dp_2' }))).toBe(true);
    expect(await holds(sampleSubject(changes))).toBe(false);
  });

  it('ends at its time, also over restarts', async () => {
    await answers.keep(subject, hour);
    clock.advance(hour - 1);
    expect(await holds()).toBe(true);
    restart();
    expect(await holds()).toBe(true);
    clock.advance(1);
    expect(await holds()).toBe(false);
    restart();
    expect(await holds()).toBe(false);
  });

  it('lasts as long as was said last', async () => {
    await answers.keep(subject, hour);
    await answers.keep(subject, minute);
    clock.advance(minute);
    expect(await holds()).toBe(false);
    expect(await answers.list()).toEqual([]);
  });

  it('is forgotten when the clock is found set back, before it was given or after', async () => {
    await answers.keep(subject, hour);
    clock.advance(30 * minute);
    clock.setWallTime(start + 29 * minute);
    expect(await holds()).toBe(false);
    await answers.keep(subject, hour);
    restart(clock.now() - 2 * hour);
    expect(await holds()).toBe(false);
    // From then on time is what the clock says.
    await answers.keep(subject, hour);
    expect(await holds()).toBe(true);
  });

  it('stands a correction of the clock, and no many of them', async () => {
    await answers.keep(subject, hour);
    clock.advance(6_000);
    clock.setWallTime(clock.now() - 4_000);
    expect(await holds()).toBe(true);
    clock.advance(6_000);
    clock.setWallTime(clock.now() - 4_000);
    expect(await holds()).toBe(false);
  });

  it('wins no more than a minute by a host that is killed unused and comes back with its clock set back', async () => {
    const deadlines = new Deadlines(clock, silent);
    const fail = (error: unknown): void => {
      throw error;
    };
    answers.watch(deadlines, fail);
    await answers.keep(subject, hour);
    for (let n = 0; n < 50; n++) await clock.advanceAsync(minute);
    // What was begun is on the disk before the next process reads it.
    await answers.list();
    restart(start + minute);
    expect(await holds()).toBe(false);
  });

  it('stands a sleep, in which no monotonic time passes, and is as old as the wall clock says then', async () => {
    await answers.keep(subject, hour);
    clock.setWallTime(clock.now() + 59 * minute);
    expect(await holds()).toBe(true);
    clock.setWallTime(clock.now() + minute);
    expect(await holds()).toBe(false);
  });

  it('is gone when the owner takes it back, also by another process, and can be given again', async () => {
    const owner = new RememberedAnswers(store, clock);
    await answers.keep(subject, hour);
    await answers.keep(sampleSubject({ caller: 'operator:eve' }), hour);
    const [first] = await owner.list();
    expect(await owner.forget('an_none')).toBe(0);
    expect(await owner.forget(first?.id)).toBe(1);
    expect(await answers.list()).toHaveLength(1);
    expect(await owner.forget()).toBe(1);
    expect(await holds()).toBe(false);
    await answers.keep(subject, hour);
    expect(await holds()).toBe(true);
  });

  it('is one of 256 at most: what ends first makes room', async () => {
    for (let n = 0; n < 257; n++) {
      await answers.keep(sampleSubject({ remember: web(`https://${n}.example`) }), hour + n * minute);
    }
    const values = (await answers.list()).map(({ value }) => value);
    expect(values).toHaveLength(256);
    expect(values).not.toContain('https://0.example');
    expect(values.at(-1)).toBe('https://256.example');
  });
});

it('keeps whole milliseconds by a clock that counts parts of them', async () => {
  let monotonic = 0.25;
  const machine = { ...systemClock, now: () => start + Math.floor(monotonic), monotonic: () => monotonic };
  answers = new RememberedAnswers(store, machine);
  monotonic = 1_000.9;
  // The wall clock runs a little behind.
  machine.now = () => start + 990;
  expect(await answers.keep(subject, hour)).toMatchObject({ allowedAt: start + 1_000 });
  expect(await holds()).toBe(true);
});

it('holds a record that somebody has changed against what is asked', async () => {
  await answers.keep(subject, hour);
  const [kept] = (await store.list({ kind: 'answer' })).records;
  if (kept === undefined) throw new Error('it was not kept');
  const { version, data, ...rest } = kept;
  const changed = { ...(data as object), build: 'b2' };
  await store.commit([{ op: 'put', ...rest, expect: version, data: changed }]);
  expect(await holds()).toBe(false);
  expect(await holds(sampleSubject({ build: 'b2' }))).toBe(false);
});
