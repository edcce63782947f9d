import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DeadlineHandle, Deadlines, SimulatedClock } from '../../../src/kernel/index.js';
import { propertyRuns } from '../../support/property-runs.js';

/*
 * The heap of deadlines over one timer, beside a list that is sorted anew whenever it is looked at. What fires may set,
 * clear and release in turn, and throw.
 */
const numRuns = propertyRuns(300);

const day = 86_400_000;

type Action =
  | {
      readonly type: 'set';
      readonly owner: number;
      readonly delayMs: number;
      readonly onFire: readonly Action[];
    }
  | { readonly type: 'clear'; readonly which: number }
  | { readonly type: 'release'; readonly owner: number }
  | { readonly type: 'throw' };
type Step = Action | { readonly type: 'advance'; readonly ms: number };

const owner = fc.nat(3);
const delayMs = fc.oneof(
  { weight: 6, arbitrary: fc.nat(40) },
  { weight: 2, arbitrary: fc.constantFrom(-1, 0.25, 0.5, 7.75) },
  // On both sides of 2^31 ms, where Node's timers end, and far beyond.
  { weight: 2, arbitrary: fc.constantFrom(2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 30 * day, 90 * day, 400 * day) },
);
const simple: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ type: fc.constant('clear'), which: fc.nat(60) }),
  fc.record({ type: fc.constant('release'), owner }),
  fc.record({ type: fc.constant('throw') }),
  fc.record({ type: fc.constant('set'), owner, delayMs, onFire: fc.constant([]) }),
);
const set: fc.Arbitrary<Action> = fc.record({
  type: fc.constant('set'),
  owner,
  delayMs,
  onFire: fc.array(simple, { maxLength: 3 }),
});
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 8, arbitrary: set },
    { weight: 4, arbitrary: simple },
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant('advance'),
        ms: fc.oneof(fc.nat(50), fc.constantFrom(0, 2 ** 31 - 1, 25 * day, 100 * day)),
      }),
    },
  ),
  { maxLength: 60, size: 'max' },
);

interface Entry {
  readonly id: number;
  readonly owner: number;
  readonly due: number;
  readonly onFire: readonly Action[];
}

/** What the deadlines promise, in the plainest way. */
class SortedList {
  now = 0;
  entries: readonly Entry[] = [];
  throws = 0;
  readonly fired: number[] = [];
  #id = 0;

  perform(action: Action): void {
    switch (action.type) {
      case 'set': {
        const { owner: whose, delayMs: ms, onFire } = action;
        const entry = { id: this.#id, owner: whose, due: this.now + Math.max(0, ms), onFire };
        this.#id += 1;
        this.entries = [...this.entries, entry].sort((a, b) => a.due - b.due || a.id - b.id);
        return;
      }
      case 'clear':
        this.entries = this.entries.filter(({ id }) => id !== action.which);
        return;
      case 'release':
        this.entries = this.entries.filter((entry) => entry.owner !== action.owner);
        return;
      case 'throw':
        throw new Error('meant to be');
    }
  }

  advance(ms: number): void {
    const end = this.now + ms;
    for (let [next] = this.entries; next && next.due <= end; [next] = this.entries) {
      this.entries = this.entries.filter((entry) => entry !== next);
      // A timer has whole milliseconds; what is due within one fires at its end.
      this.now = Math.max(this.now, Math.ceil(next.due));
      this.fired.push(next.id);
      try {
        for (const action of next.onFire) this.perform(action);
      } catch {
        this.throws += 1;
      }
    }
    this.now = end;
  }
}

it(
  'fires as a sorted list would, once each, at its time',
  () => {
    fc.assert(
      fc.property(steps, (script) => {
        const clock = new SimulatedClock();
        let logged = 0;
        const log = {
          debug() {},
          info() {},
          warn() {},
          error: () => {
            logged += 1;
          },
        };
        const deadlines = new Deadlines(clock, log);
        const owners = [{}, {}, {}, {}];
        const handles: DeadlineHandle[] = [];
        const fired: number[] = [];
        const list = new SortedList();

        const perform = (action: Action): void => {
          switch (action.type) {
            case 'set': {
              const id = handles.length;
              const due = clock.monotonic() + Math.max(0, action.delayMs);
              const fire = (): void => {
                fired.push(id);
                expect(clock.monotonic()).toBeGreaterThanOrEqual(due);
                expect(clock.monotonic()).toBeLessThan(due + 1);
                for (const next of action.onFire) perform(next);
              };
              const whose = owners[action.owner] ?? {};
              handles.push(deadlines.set(whose, action.delayMs, fire, { label: `${id}` }));
              return;
            }
            case 'clear': {
              const handle = handles[action.which];
              if (handle) deadlines.clear(handle);
              return;
            }
            case 'release':
              deadlines.release(owners[action.owner] ?? {});
              return;
            case 'throw':
              throw new Error('meant to be');
          }
        };

        for (const step of script) {
          if (step.type === 'advance') {
            clock.advance(step.ms);
            list.advance(step.ms);
          } else if (step.type !== 'throw') {
            perform(step);
            list.perform(step);
          }
          expect(fired).toEqual(list.fired);
          expect(logged).toBe(list.throws);
          expect(deadlines.size).toBe(list.entries.length);
          expect(clock.timers).toBe(list.entries.length > 0 ? 1 : 0);
          for (const [index, whose] of owners.entries()) {
            const expected = list.entries
              .filter((entry) => entry.owner === index)
              .map(({ id, due }) => ({
                label: `${id}`,
                inMs: due - list.now,
                at: clock.now() + due - list.now,
              }));
            expect(deadlines.pending(whose)).toEqual(expected);
          }
        }
        clock.advance(1_000 * day);
        list.advance(1_000 * day);
        expect(fired).toEqual(list.fired);
        expect(deadlines.size).toBe(0);
        expect(clock.timers).toBe(0);
      }),
      { numRuns },
    );
  },
  20_000 + numRuns * 20,
);
