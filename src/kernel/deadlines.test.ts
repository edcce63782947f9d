import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from './clock.js';
import { Deadlines } from './deadlines.js';
import type { KernelLog } from './log.js';
import { SimulatedClock } from './simulated-clock.js';

const quiet: KernelLog = { debug() {}, info() {}, warn() {}, error() {} };
const day = 86_400_000;

function make(log: KernelLog = quiet) {
  const clock = new SimulatedClock();
  return { clock, deadlines: new Deadlines(clock, log), owner: {} };
}

describe('Deadlines', () => {
  it('fires in order of time, and in order of setting at one time', () => {
    const { clock, deadlines, owner } = make();
    const fired: string[] = [];
    for (const [name, delay] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
      ['past', -5],
    ] as const) {
      deadlines.set(owner, delay, () => fired.push(`${name}@${clock.monotonic()}`));
    }
    clock.advance(100);
    expect(fired).toEqual(['past@0', 'a@10', 'b1@20', 'b2@20', 'c@30']);
    expect(deadlines.size).toBe(0);
  });

  it('goes on when a deadline throws, and the log too', () => {
    const fail = (): never => {
      throw new Error('no disk');
    };
    const { clock, deadlines, owner } = make({ debug: fail, info: fail, warn: fail, error: fail });
    const fired: number[] = [];
    deadlines.set(owner, 1, fail);
    deadlines.set(owner, 1, () => fired.push(1));
    deadlines.set(owner, 2, () => fired.push(2));
    clock.advance(2);
    expect(fired).toEqual([1, 2]);
    expect(clock.timers).toBe(0);
  });

  it('uses one timer of the clock, and none when nothing is pending', () => {
    const { clock, deadlines, owner } = make();
    const handles = Array.from({ length: 1_000 }, (_, n) => deadlines.set(owner, 1_000 - n, () => {}));
    expect(clock.timers).toBe(1);
    for (const handle of handles) deadlines.clear(handle);
    expect(clock.timers).toBe(0);
    expect(deadlines.size).toBe(0);
  });

  it('waits longer than 24.8 days', () => {
    const { clock, deadlines, owner } = make();
    let firedAt = -1;
    deadlines.set(owner, 90 * day, () => {
      firedAt = clock.monotonic();
    });
    clock.advance(90 * day - 1);
    expect(firedAt).toBe(-1);
    clock.advance(1);
    expect(firedAt).toBe(90 * day);
  });

  it('is not moved by a step of the wall clock', () => {
    const { clock, deadlines, owner } = make();
    let fired = 0;
    deadlines.set(owner, 1_000, () => {
      fired += 1;
    });
    clock.setWallTime(clock.now() + 365 * day);
    clock.advance(999);
    expect(fired).toBe(0);
    clock.setWallTime(0);
    clock.advance(1);
    expect(fired).toBe(1);
  });

  it('goes on when one throws, and logs it with its label', () => {
    const logged: object[] = [];
    const { clock, deadlines, owner } = make({ ...quiet, error: (fields) => logged.push(fields) });
    const boom = new Error('boom');
    let fired = false;
    deadlines.set(
      owner,
      1,
      () => {
        throw boom;
      },
      { label: 'expiry' },
    );
    deadlines.set(owner, 1, () => {
      fired = true;
    });
    clock.advance(1);
    expect(fired).toBe(true);
    expect(logged).toEqual([{ err: boom, deadline: 'expiry' }]);
  });

  it('can set, clear and release while it fires', () => {
    const { clock, deadlines, owner } = make();
    const other = {};
    const fired: string[] = [];
    deadlines.set(owner, 5, () => {
      fired.push('first');
      deadlines.clear(cleared);
      deadlines.release(other);
      deadlines.set(owner, 0, () => fired.push('again'));
    });
    const cleared = deadlines.set(owner, 5, () => fired.push('cleared'));
    deadlines.set(other, 5, () => fired.push('released'));
    clock.advance(5);
    expect(fired).toEqual(['first', 'again']);
    expect(deadlines.size).toBe(0);
  });

  it('gives a deadline that sets itself anew with 0 ms its own turn', () => {
    const { deadlines, owner } = make();
    const turns: (() => void)[] = [];
    const stepped: Clock = {
      now: () => 0,
      monotonic: () => 0,
      setTimeout: (callback) => turns.push(callback),
      clearTimeout: () => {},
    };
    const own = new Deadlines(stepped, quiet);
    let fired = 0;
    const again = (): void => {
      fired += 1;
      if (fired < 10) own.set(owner, 0, again);
    };
    own.set(owner, 0, again);
    turns.shift()?.();
    expect(fired).toBe(1);
    expect(turns).toHaveLength(1);
    expect(deadlines.size).toBe(0);
  });

  it('says what an owner waits for', () => {
    const { clock, deadlines, owner } = make();
    deadlines.set(owner, 5_000, () => {}, { label: 'answer' });
    deadlines.set(owner, 2_000, () => {}, { label: 'heartbeat' });
    deadlines.set({}, 1, () => {});
    clock.advance(500);
    expect(deadlines.pending(owner)).toEqual([
      { label: 'heartbeat', inMs: 1_500, at: clock.now() + 1_500 },
      { label: 'answer', inMs: 4_500, at: clock.now() + 4_500 },
    ]);
    deadlines.release(owner);
    expect(deadlines.pending(owner)).toEqual([]);
    expect(deadlines.size).toBe(0);
  });

  it('refuses a delay that is not a number of milliseconds', () => {
    const { deadlines, owner } = make();
    for (const delay of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => deadlines.set(owner, delay, () => {})).toThrow(
        expect.objectContaining({ code: 'kernel.bad_delay' }),
      );
    }
  });

  it('agrees with a sorted list over random sets, clears and advances', () => {
    const { clock, deadlines } = make();
    let seed = 42;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    const owners = [{}, {}, {}];
    const expected = new Map<number, { due: number; owner: number; handle: ReturnType<Deadlines['set']> }>();
    const fired: number[] = [];
    for (let id = 0; id < 5_000; id += 1) {
      const owner = random(3);
      const delay = random(500);
      const handle = deadlines.set(owners[owner] ?? {}, delay, () => fired.push(id));
      expected.set(id, { due: clock.monotonic() + delay, owner, handle });
      const action = random(20);
      if (action < 8) {
        const victim = [...expected.keys()][random(expected.size)] ?? -1;
        deadlines.clear(expected.get(victim)?.handle ?? handle);
        expected.delete(victim);
      } else if (action === 8) {
        deadlines.release(owners[1] ?? {});
        for (const [key, entry] of expected) if (entry.owner === 1) expected.delete(key);
      } else if (action < 11) {
        clock.advance(random(40));
        const due = [...expected].filter(([, entry]) => entry.due <= clock.monotonic());
        due.sort(([idA, a], [idB, b]) => a.due - b.due || idA - idB);
        expect(fired.splice(0)).toEqual(due.map(([key]) => key));
        for (const [key] of due) expected.delete(key);
      }
      expect(deadlines.size).toBe(expected.size);
    }
  });

  it('sends an event to an actor, and says meanwhile which one', () => {
    const { clock, deadlines } = make();
    const got: unknown[] = [];
    const actor = { send: (event: { type: string }) => got.push(event) };
    deadlines.sendAfter(actor, 50, { type: 'expire' });
    deadlines.sendAfter(actor, 20, { type: 'beat' }, { label: 'heartbeat' });
    expect(deadlines.pending(actor)).toEqual([
      { label: 'heartbeat', event: 'beat', inMs: 20, at: clock.now() + 20 },
      { label: 'expire', event: 'expire', inMs: 50, at: clock.now() + 50 },
    ]);
    clock.advance(20);
    expect(got).toEqual([{ type: 'beat' }]);
    deadlines.release(actor);
    clock.advance(100);
    expect(got).toHaveLength(1);
  });

  it('works on the clock of the machine', async () => {
    const deadlines = new Deadlines(systemClock, quiet);
    const start = performance.now();
    await new Promise<void>((resolve) => deadlines.set({}, 12, resolve));
    expect(performance.now() - start).toBeGreaterThanOrEqual(12);
  });
});
