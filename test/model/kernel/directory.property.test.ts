import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AnyActorRef, createActor, type EventObject, fromTransition } from 'xstate';
import {
  type Address,
  AppError,
  address,
  createKernel,
  type DownReason,
  type Reply,
  SimulatedClock,
} from '../../../src/kernel/index.js';
import { reporting } from '../../../src/kernel/lifecycle.js';
import { propertyRuns } from '../../support/property-runs.js';

/*
 * The directory beside a model of who holds which address. Whatever is sent either reaches the actor that the model names
 * or is a counted dead letter; every question is answered or refused once; every watch tells once.
 */
const numRuns = propertyRuns(300);

const addresses = [address('a'), address('b', '1'), address('b', '2')] as const;
const boom = new Error('boom');

type Step =
  | { readonly type: 'register' | 'unregister'; readonly at: number; readonly actor: number }
  | { readonly type: 'end'; readonly actor: number; readonly crashes: boolean }
  | { readonly type: 'send'; readonly at: number }
  | { readonly type: 'ask'; readonly at: number; readonly timeoutMs: number; readonly answered: boolean }
  | { readonly type: 'answer'; readonly which: number; readonly how: 'resolve' | 'reject' }
  | { readonly type: 'watch'; readonly at: number; readonly again: boolean }
  | { readonly type: 'unwatch'; readonly which: number }
  | { readonly type: 'advance'; readonly ms: number }
  | { readonly type: 'settle' };

const at = fc.nat(2);
const actor = fc.nat(3);
const which = fc.nat(12);
const ms = fc.constantFrom(0, 1, 50, 100, 5_000);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 5, arbitrary: fc.record({ type: fc.constant('register'), at, actor }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('unregister'), at, actor }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('end'), actor, crashes: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ type: fc.constant('send'), at }) },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('ask'),
        at,
        timeoutMs: ms,
        /** By whoever makes the event. */
        answered: fc.constantFrom(false, false, false, true),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('answer'), which, how: fc.constantFrom('resolve', 'reject') }),
    },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('watch'), at, again: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('unwatch'), which }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('advance'), ms }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('settle') }) },
  ),
  { maxLength: 60, size: 'max' },
);

/** A real actor that notes what it gets and keeps what it is asked. */
class Subject {
  readonly got: string[] = [];
  readonly ref: AnyActorRef;

  constructor(questions: Map<number, Reply<number>>, isSupervised: boolean) {
    const logic = fromTransition((state: null, event: EventObject) => {
      if (event.type === 'xstate.stop') return state;
      if (event.type === 'crash') throw boom;
      this.got.push(event.type);
      if ('reply' in event && 'id' in event) questions.set(event.id as number, event.reply as Reply<number>);
      return state;
    }, null);
    // Logic of this kind doesn't show in its snapshot that it was stopped, unless a supervisor has wrapped it.
    this.ref = createActor(isSupervised ? reporting(logic) : logic);
    this.ref.subscribe({ error: () => {} });
    this.ref.start();
  }
}

/** What the model knows of a question or a watch that is open: where, and for a question until when. */
interface Open {
  readonly address: Address;
  readonly due: number;
}

class DirectoryModel {
  now = 0;
  readonly holders = new Map<Address, number>();
  readonly dead = new Set<number>();
  readonly got: string[][] = [[], [], [], []];
  readonly letters: string[] = [];
  readonly questions = new Map<number, Open>();
  readonly outcomes = new Map<number, string>();
  /** Told at the next turn, or when the address falls free. */
  readonly watches = new Map<
    number,
    { readonly address: Address; readonly live: boolean; readonly again: boolean }
  >();
  readonly told: string[] = [];

  deliver(to: Address, type: string): boolean {
    const holder = this.holders.get(to);
    if (holder === undefined || this.dead.has(holder)) {
      this.letters.push(`${to} ${type} ${holder === undefined ? 'no_such_actor' : 'actor_ended'}`);
      return false;
    }
    this.got[holder]?.push(type);
    return true;
  }

  isUp(where: Address): boolean {
    const holder = this.holders.get(where);
    return holder !== undefined && !this.dead.has(holder);
  }

  settle(id: number, outcome: string): void {
    if (!this.questions.delete(id)) return;
    this.outcomes.set(id, outcome);
  }

  free(where: Address, reason: string): void {
    this.holders.delete(where);
    for (const [id, open] of this.questions) if (open.address === where) this.settle(id, 'kernel.actor_down');
    for (const [id, watch] of this.watches) {
      if (watch.address === where && watch.live) this.tell(id, reason);
    }
  }

  tell(id: number, reason: string): void {
    const watch = this.watches.get(id);
    if (!watch) return;
    this.watches.delete(id);
    this.told.push(`${id} ${reason}`);
    if (watch.again)
      this.watches.set(id + 1_000, { address: watch.address, live: this.isUp(watch.address), again: false });
  }

  nextTurn(): void {
    for (const [id, { live }] of [...this.watches]) if (!live) this.tell(id, 'absent');
  }

  advance(by: number): void {
    this.now += by;
    for (const [id, { due }] of this.questions) if (due <= this.now) this.settle(id, 'kernel.ask_timeout');
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const refusal = new AppError('test.refused', { category: 'busy', retryable: true }, 'refused');

it(
  'delivers, answers and tells once, and drops nothing without counting it',
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const clock = new SimulatedClock();
        const silent = (): void => {};
        const log = { debug: silent, info: silent, warn: silent, error: silent };
        const { directory, deadlines } = createKernel({ clock, log });
        const questions = new Map<number, Reply<number>>();
        const subjects = [0, 1, 2, 3].map((index) => new Subject(questions, index > 1));
        const outcomes = new Map<number, string>();
        const told: string[] = [];
        const unwatches = new Map<number, () => void>();
        const model = new DirectoryModel();
        let sent = 0;

        const watch = (where: Address, id: number, again: boolean): void => {
          const onDown = (reason: DownReason): void => {
            told.push(`${id} ${reason.kind}`);
            if (again) watch(where, id + 1_000, false);
          };
          unwatches.set(id, directory.watch(where, onDown));
        };

        const perform = (step: Exclude<Step, { type: 'settle' }>, index: number): void => {
          switch (step.type) {
            case 'register': {
              const where = addresses[step.at] ?? addresses[0];
              const ref = subjects[step.actor]?.ref;
              if (!ref) return;
              const holder = model.holders.get(where);
              if (holder === undefined || holder === step.actor) {
                directory.register(where, ref);
                model.holders.set(where, step.actor);
              } else {
                expect(() => directory.register(where, ref)).toThrow(
                  expect.objectContaining({ code: 'kernel.address_taken' }),
                );
              }
              return;
            }
            case 'unregister': {
              const where = addresses[step.at] ?? addresses[0];
              const ref = subjects[step.actor]?.ref;
              if (!ref) return;
              if (model.holders.get(where) === step.actor) model.free(where, 'crashed');
              directory.unregister(where, ref, { kind: 'crashed', error: boom });
              return;
            }
            case 'end':
              if (model.dead.has(step.actor)) return;
              if (step.crashes) subjects[step.actor]?.ref.send({ type: 'crash' });
              else subjects[step.actor]?.ref.stop();
              model.dead.add(step.actor);
              return;
            case 'send': {
              const where = addresses[step.at] ?? addresses[0];
              sent += 1;
              const type = `event-${index}`;
              expect(directory.send(where, { type })).toBe(model.deliver(where, type));
              return;
            }
            case 'ask': {
              const where = addresses[step.at] ?? addresses[0];
              const type = `question-${index}`;
              const question = (reply: Reply<number>) => {
                if (step.answered) reply.resolve(index);
                return { type, reply, id: index };
              };
              directory
                .ask<number>(where, question, { timeoutMs: step.timeoutMs })
                .then(
                  (value) => `answer ${value}`,
                  (error: AppError) => error.code,
                )
                .then((outcome) => {
                  expect(outcomes.has(index)).toBe(false);
                  outcomes.set(index, outcome);
                });
              if (step.answered) {
                model.outcomes.set(index, `answer ${index}`);
                return;
              }
              sent += 1;
              model.questions.set(index, { address: where, due: model.now + step.timeoutMs });
              if (!model.deliver(where, type)) model.settle(index, 'kernel.no_such_actor');
              return;
            }
            case 'answer': {
              const ids = [...questions.keys()];
              const id = ids[step.which % Math.max(1, ids.length)];
              if (id === undefined) return;
              if (step.how === 'resolve') questions.get(id)?.resolve(id);
              else questions.get(id)?.reject(refusal);
              model.settle(id, step.how === 'resolve' ? `answer ${id}` : refusal.code);
              return;
            }
            case 'watch': {
              const where = addresses[step.at] ?? addresses[0];
              model.watches.set(index, { address: where, live: model.isUp(where), again: step.again });
              watch(where, index, step.again);
              return;
            }
            case 'unwatch': {
              const ids = [...unwatches.keys()];
              const id = ids[step.which % Math.max(1, ids.length)];
              if (id === undefined) return;
              unwatches.get(id)?.();
              model.watches.delete(id);
              return;
            }
            case 'advance':
              clock.advance(step.ms);
              model.advance(step.ms);
              return;
          }
        };

        const settle = async (): Promise<void> => {
          await turn();
          model.nextTurn();
          // Who watched again as it was told is told once more.
          model.nextTurn();
        };

        for (const [index, step] of script.entries()) {
          if (step.type === 'settle') await settle();
          else perform(step, index);
          expect(subjects.map(({ got }) => got)).toEqual(model.got);
          expect(directory.deadLetters.total).toBe(model.letters.length);
          expect(sent).toBe(model.got.flat().length + model.letters.length);
          expect(deadlines.size).toBe(model.questions.size);
          expect(directory.addresses().toSorted()).toEqual([...model.holders.keys()].sort());
          for (const where of addresses) expect(directory.has(where)).toBe(model.isUp(where));
        }
        await settle();
        clock.advance(10_000);
        model.advance(10_000);
        await turn();
        expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(model.outcomes));
        expect(told.toSorted()).toEqual(model.told.toSorted());
        expect(
          directory.deadLetters
            .recent()
            .map(({ address: to, eventType, reason }) => `${to} ${eventType} ${reason}`),
        ).toEqual(model.letters);
        expect(deadlines.size).toBe(0);
      }),
      { numRuns },
    );
  },
  20_000 + numRuns * 20,
);
