import { type AnyActorLogic, type EventObject, fromCallback, setup } from 'xstate';
import {
  AppError,
  address,
  type ChildSpec,
  type RootHandle,
  startRoot,
  supervisor,
} from '../../../src/kernel/index.js';
import { makeKernel } from './fixture.js';
import type { BadStart, LeafSpec, SupervisorSpec, TreeSpec } from './tree-spec.js';

/** What the logic of a leaf gets at each start. */
interface LeafInput {
  readonly bad: BadStart | undefined;
}

export interface Harm {
  readonly victim: string;
  readonly event: string;
}

/** Where code that belongs to others runs on the stack of the kernel. */
export const moments = ['input', 'start', 'stop', 'down', 'log'] as const;
export type Moment = (typeof moments)[number];

/** A random tree of real supervisors and real machines, on a clock that stands still. */
export class RealTree {
  readonly clock;
  readonly kernel;
  /** As in the model. */
  readonly trace = new Map<string, string[]>();
  readonly bad = new Map<string, BadStart[]>();
  readonly #harm = new Map<string, readonly Harm[]>();
  /** The actors that leaves own: whoever is in here runs, whatever a supervisor says. */
  readonly owned: string[] = [];
  /** Those that started while an earlier incarnation still ran. */
  readonly overlaps: string[] = [];
  /** What children crashed with. */
  readonly errors;
  root: RootHandle | undefined;
  readonly #spec: SupervisorSpec;
  readonly #owned;

  constructor(spec: SupervisorSpec) {
    const { clock, errors, kernel } = makeKernel(({ child }) => this.#strike('log', String(child)));
    this.clock = clock;
    this.errors = errors;
    this.kernel = kernel;
    this.#spec = spec;
    this.#owned = fromCallback<EventObject, string>(({ input }) => {
      const id = idOf(input);
      this.kernel.directory.watch(address(id), () => this.#strike('down', id));
      this.#strike('start', id);
      if (this.owned.some((other) => idOf(other) === id)) this.overlaps.push(input);
      this.owned.push(input);
      return () => {
        this.owned.splice(this.owned.indexOf(input), 1);
        this.#strike('stop', id);
      };
    });
  }

  /** What is done to others the next time that a node comes to this moment, on the stack of whoever brings it there. */
  plan(moment: Moment, id: string, harms: readonly Harm[]): void {
    this.#harm.set(`${moment} of ${id}`, harms);
  }

  #strike(moment: Moment, id: string): void {
    const key = `${moment} of ${id}`;
    const harms = this.#harm.get(key) ?? [];
    this.#harm.delete(key);
    for (const { victim, event } of harms) this.send(victim, event);
  }

  start(): void {
    const root = this.#supervisor(this.#spec);
    this.root = startRoot(this.kernel, this.#noted('outside', root));
  }

  send(id: string, type: string): boolean {
    return this.kernel.directory.send(address(id), { type });
  }

  note(parent: string, entry: string): void {
    const entries = this.trace.get(parent) ?? [];
    this.trace.set(parent, [...entries, entry]);
  }

  #supervisor(spec: SupervisorSpec): AnyActorLogic {
    const { strategy, intensity, shutdownMs, quietMs } = spec;
    return supervisor({
      kernel: this.kernel,
      strategy,
      intensity,
      backoff: { quietMs },
      ...(shutdownMs === undefined ? {} : { shutdownMs }),
      children: spec.children.map((child) => this.#child(spec.id, child)),
    });
  }

  #child(parent: string, spec: TreeSpec): ChildSpec {
    const { id, restart, shutdown } = spec;
    const input = (): LeafInput => {
      this.note(parent, `+${id}`);
      this.#strike('input', id);
      const bad = this.bad.get(id)?.shift();
      if (bad === 'input throws') throw new Error(`boom input of ${id}`);
      return { bad };
    };
    const logic = spec.kind === 'leaf' ? this.#leaf(spec) : this.#supervisor(spec);
    return { id, address: address(id), logic: this.#noted(parent, logic), input, restart, shutdown };
  }

  #leaf({ farewell: { does, afterMs } }: LeafSpec): AnyActorLogic {
    return setup({
      types: { input: {} as LeafInput, context: {} as LeafInput },
      actors: { owned: this.#owned },
      delays: { farewell: afterMs },
      actions: {
        explode: ({ self }) => {
          throw new Error(`boom ${self.id}`);
        },
      },
      guards: {
        throws: ({ context }) => context.bad === 'throws',
        finishes: ({ context }) => context.bad === 'finishes',
        listens: () => does !== 'nothing',
        isAtOnce: () => afterMs === 0,
        crashes: () => does === 'crashes',
      },
    }).createMachine({
      context: ({ input }) => input,
      initial: 'new',
      on: { crash: { actions: 'explode' }, finish: '.end' },
      states: {
        new: {
          always: [
            { guard: 'throws', actions: 'explode', target: 'end' },
            { guard: 'finishes', target: 'end' },
            { target: 'alive' },
          ],
        },
        alive: {
          invoke: { src: 'owned', input: ({ self }) => self.id },
          initial: 'up',
          states: {
            up: { on: { 'kernel.shutdown': { guard: 'listens', target: 'asked' } } },
            asked: { always: [{ guard: 'isAtOnce', target: 'leaving' }], after: { farewell: 'leaving' } },
            leaving: {
              always: [{ guard: 'crashes', actions: 'explode', target: '#end' }, { target: '#end' }],
            },
          },
        },
        end: { id: 'end', type: 'final' },
      },
    });
  }

  /** The same logic, whose actors note how they end. */
  #noted(parent: string, logic: AnyActorLogic): AnyActorLogic {
    const noted: AnyActorLogic = Object.create(logic);
    noted.start = (snapshot, scope) => {
      scope.self.subscribe({
        complete: () => {
          const { status } = scope.self.getSnapshot();
          if (status === 'done') this.note(parent, `-${scope.id} done`);
        },
        error: (error: unknown) => this.note(parent, `-${scope.id} crashed: ${chainOf(error)}`),
      });
      logic.start?.(snapshot, scope);
    };
    noted.transition = (snapshot, event, scope) => {
      const next = logic.transition(snapshot, event, scope);
      // Its parent hears of a stop before observers do.
      if (event.type === 'xstate.stop') this.note(parent, `-${scope.id} stopped`);
      return next;
    };
    return noted;
  }
}

/** The id of a spec, from the name of one of its incarnations. */
export const idOf = (name: string): string => name.replace(/#.*$/, '');

/** An error and its causes as the model says them. */
export function chainOf(error: unknown): string {
  if (!(error instanceof AppError)) return error instanceof Error ? error.message : String(error);
  if (error.code === 'kernel.child_ended') return error.message.replace(/^.* (ended \(\w+\))$/, '$1');
  if (error.code !== 'kernel.restart_intensity') return error.message;
  const { supervisor: name, child } = error.details ?? {};
  return `${name} gave up on ${child}: ${chainOf(error.cause)}`;
}
