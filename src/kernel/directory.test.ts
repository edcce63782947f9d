import { describe, expect, it } from 'vitest';
import {
  type AnyActorRef,
  createActor,
  createMachine,
  type EventObject,
  fromCallback,
  fromPromise,
  fromTransition,
} from 'xstate';
import { address, addressKind, parseAddress } from './address.js';
import { Deadlines } from './deadlines.js';
import { Directory, type Reply } from './directory.js';
import { AppError } from './errors.js';
import { createKernel } from './kernel.js';
import { kernelError } from './kernel-errors.js';
import type { DownReason } from './lifecycle.js';
import { SimulatedClock } from './simulated-clock.js';
import { TransitionLog } from './transition-log.js';

const here = address('echo', 'a');

function make() {
  const clock = new SimulatedClock();
  const lines: { fields: Record<string, unknown>; message: string }[] = [];
  const log = (fields: object, message: string): void => {
    lines.push({ fields: { ...fields }, message });
  };
  const kernel = createKernel({ clock, log: { debug: log, info: log, warn: log, error: log } });
  return { clock, kernel, directory: kernel.directory, lines };
}

type AskEvent = { readonly type: 'ask'; readonly reply: Reply<number> };

/** Runs `behave` on each event it gets. */
function actor(behave: (event: EventObject) => void = () => {}): AnyActorRef {
  const ref = createActor(
    fromTransition((state: null, event: EventObject) => {
      behave(event);
      return state;
    }, null),
  );
  ref.subscribe({ error: () => {} });
  ref.start();
  return ref;
}

const ask = (reply: Reply<number>): AskEvent => ({ type: 'ask', reply });
const code = (code: string) => expect.objectContaining({ code });

describe('address', () => {
  it('builds, parses and tells the kind', () => {
    expect(address('sessions')).toBe('sessions');
    expect(address('session', 'MFZ-WK#3')).toBe('session/MFZ-WK#3');
    expect(parseAddress('dispatch/d.1')).toBe('dispatch/d.1');
    expect(addressKind(parseAddress('dispatch/d.1'))).toBe('dispatch');
    expect(addressKind(address('sessions'))).toBe('sessions');
  });

  it.each(['', 'Session', 'a b', 'a/', '/a', 'a/../b', 'a/b/c', 'a/b\n', `a/${'x'.repeat(129)}`])(
    'refuses %j',
    (text) => {
      expect(() => parseAddress(text)).toThrow(code('kernel.bad_address'));
    },
  );
});

describe('Directory', () => {
  it('sends by address, lists and takes addresses back', () => {
    const { directory } = make();
    const got: string[] = [];
    const ref = actor((event) => got.push(event.type));
    directory.register(here, ref);
    expect(directory.has(here)).toBe(true);
    expect(directory.send(here, { type: 'hello' })).toBe(true);
    expect(got).toEqual(['hello']);
    directory.register(address('other'), actor());
    expect(directory.addresses()).toEqual(['echo/a', 'other']);
    expect(directory.addresses('echo/')).toEqual(['echo/a']);
    directory.unregister(here, ref);
    expect(directory.has(here)).toBe(false);
  });

  it('refuses a second holder, and ignores the return of an address by someone else', () => {
    const { directory } = make();
    directory.register(here, actor());
    const other = actor();
    expect(() => directory.register(here, other)).toThrow(code('kernel.address_taken'));
    directory.unregister(here, other);
    expect(directory.has(here)).toBe(true);
  });

  it('turns events for nobody and for the dead into dead letters', () => {
    const { clock, directory } = make();
    const sender = address('dispatch', 'd1');
    expect(directory.send(here, { type: 'hello' }, sender)).toBe(false);
    const ref = createActor(fromCallback(() => {}));
    ref.start();
    directory.register(here, ref);
    ref.stop();
    expect(directory.send(here, { type: 'late' })).toBe(false);
    expect(directory.deadLetters.recent()).toEqual([
      { address: here, eventType: 'hello', reason: 'no_such_actor', from: sender, at: clock.now() },
      { address: here, eventType: 'late', reason: 'actor_ended', from: undefined, at: clock.now() },
    ]);
    expect(directory.deadLetters.counts()).toEqual(new Map([['echo', 2]]));
  });

  it.each([
    ['a transition', () => createActor(fromTransition((state: null) => state, null))],
    ['a promise', () => createActor(fromPromise(() => new Promise(() => {})))],
    ['a machine', () => createActor(createMachine({}))],
  ])('tells that %s was stopped which nobody supervises', (_name, create) => {
    const { directory } = make();
    const ref: AnyActorRef = create();
    directory.register(here, ref);
    expect(directory.send(here, { type: 'before it starts' })).toBe(true);
    ref.start();
    expect(directory.has(here)).toBe(true);
    ref.stop();
    expect(directory.has(here)).toBe(false);
    expect(directory.send(here, { type: 'late' })).toBe(false);
    expect(directory.deadLetters.recent()).toMatchObject([{ eventType: 'late', reason: 'actor_ended' }]);
  });

  it('keeps the last 256 dead letters and folds their log lines', () => {
    const { clock, directory, lines } = make();
    for (let n = 0; n < 1_000; n += 1) directory.send(here, { type: `e${n}` });
    directory.send(address('session', 'x'), { type: 'other' });
    expect(lines.map(({ fields }) => fields.eventType)).toEqual(['e0', 'other']);
    clock.advance(10_000);
    directory.send(here, { type: 'e1000' });
    expect(lines.at(-1)?.fields).toMatchObject({ eventType: 'e1000', total: 1_001, folded: 999 });
    const recent = directory.deadLetters.recent();
    expect(recent).toHaveLength(256);
    expect(recent.at(-1)?.eventType).toBe('e1000');
    expect(recent[0]?.eventType).toBe('e746');
    expect(directory.deadLetters.total).toBe(1_002);
  });

  it('delivers, and counts what it can not, when its log throws', () => {
    const fail = (): never => {
      throw new Error('no disk');
    };
    const log = { debug: fail, info: fail, warn: fail, error: fail };
    const clock = new SimulatedClock();
    const directory = new Directory(clock, new Deadlines(clock, log), new TransitionLog(clock), log);
    expect(directory.send(here, { type: 'hello' })).toBe(false);
    const ref = actor();
    directory.register(here, ref);
    directory.watch(here, fail);
    directory.unregister(here, ref);
    expect(directory.deadLetters.total).toBe(1);
  });

  it('asks, and takes the first answer only', async () => {
    const { directory, kernel } = make();
    directory.register(
      here,
      actor((event) => {
        const { reply } = event as AskEvent;
        reply.resolve(1);
        reply.resolve(2);
      }),
    );
    await expect(directory.ask(here, ask, { timeoutMs: 100 })).resolves.toBe(1);
    expect(kernel.deadlines.size).toBe(0);
  });

  it('asks nobody when the event is answered by whoever makes it, or can not be made', async () => {
    const { directory, kernel } = make();
    const got: string[] = [];
    directory.register(
      here,
      actor((event) => got.push(event.type)),
    );
    const refusal = kernelError('crowd_full', 'full');
    const answered = (reply: Reply<number>): EventObject => {
      reply.resolve(1);
      return { type: 'answered' };
    };
    await expect(directory.ask(here, answered, { timeoutMs: 100 })).resolves.toBe(1);
    const refused = (reply: Reply<number>): EventObject => {
      reply.reject(refusal);
      return { type: 'refused' };
    };
    await expect(directory.ask(here, refused, { timeoutMs: 100 })).rejects.toBe(refusal);
    const failing = (): never => {
      throw refusal;
    };
    await expect(directory.ask(here, failing, { timeoutMs: 100 })).rejects.toBe(refusal);
    await expect(directory.ask(here, ask, { timeoutMs: Number.NaN })).rejects.toEqual(
      code('kernel.bad_delay'),
    );
    expect(got).toEqual([]);
    expect(kernel.deadlines.size).toBe(0);
  });

  it('rejects an ask with what the actor rejects with, when it does not answer, is not there or ends first', async () => {
    const { clock, directory, kernel } = make();
    const refusal = kernelError('crowd_full', 'full');
    const refusing = address('refusing');
    directory.register(
      refusing,
      actor((event) => (event as AskEvent).reply.reject(refusal)),
    );
    await expect(directory.ask(refusing, ask, { timeoutMs: 100 })).rejects.toBe(refusal);

    const ref = actor();
    directory.register(here, ref);
    const slow = directory.ask(here, ask, { timeoutMs: 100 });
    clock.advance(100);
    await expect(slow).rejects.toEqual(code('kernel.ask_timeout'));

    const orphaned = directory.ask(here, ask, { timeoutMs: 100 });
    directory.unregister(here, ref, { kind: 'crashed', error: new Error('boom') });
    await expect(orphaned).rejects.toMatchObject({ code: 'kernel.actor_down', cause: { message: 'boom' } });

    await expect(directory.ask(here, ask, { timeoutMs: 100 })).rejects.toEqual(code('kernel.no_such_actor'));
    expect(kernel.deadlines.size).toBe(0);
  });

  it('tells watchers once, with the reason, and goes on when one throws', () => {
    const { directory, lines } = make();
    const ref = actor();
    directory.register(here, ref);
    const told: DownReason[] = [];
    directory.watch(here, () => {
      throw new Error('bad watch');
    });
    directory.watch(here, (reason) => told.push(reason));
    const unwatch = directory.watch(here, () => told.push({ kind: 'absent' }));
    unwatch();
    directory.unregister(here, ref, { kind: 'done', output: 7 });
    directory.register(here, ref);
    directory.unregister(here, ref);
    expect(told).toEqual([{ kind: 'done', output: 7 }]);
    expect(lines.map(({ message }) => message)).toEqual(['A death watch threw']);
  });

  it('tells a watcher of the already dead in the next turn, unless it has stopped watching', async () => {
    const { directory } = make();
    const told: DownReason[] = [];
    directory.watch(here, (reason) => told.push(reason));
    const unwatch = directory.watch(here, () => told.push({ kind: 'stopped' }));
    expect(told).toEqual([]);
    unwatch();
    await Promise.resolve();
    expect(told).toEqual([{ kind: 'absent' }]);
  });

  it('has AppErrors that say what to do', () => {
    const { directory } = make();
    directory.register(here, actor());
    try {
      directory.register(here, actor());
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).hint).toContain('stop the other');
      return;
    }
    expect.unreachable();
  });
});
