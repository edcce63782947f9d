import { expect, vi } from 'vitest';
import type { AnyStateMachine, AnyTransitionDefinition, InspectionEvent } from 'xstate';

/**
 * Which transitions of a machine its test has really taken, each branch of each guard apart, and those that are taken by
 * themselves (`always`) too. A transition that no path reaches is one that can't be tested, or that nobody has tested.
 *
 * @example
 * const coverage = new Coverage(doorMachine);
 * const actor = createActor(doorMachine, { inspect: coverage.inspect });
 * afterAll(() => coverage.expectAll());
 */
export class Coverage {
  readonly #machine: AnyStateMachine;
  readonly #taken = new Set<AnyTransitionDefinition>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  /** For an actor that runs the machine. */
  readonly inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep') return;
    for (const transition of event._transitions) this.#taken.add(transition);
  };

  /** For a machine that is used as a table, by XState's `transition`, until the test file ends. */
  watchTable(): void {
    const select = this.#machine.getTransitionData.bind(this.#machine);
    vi.spyOn(this.#machine, 'getTransitionData').mockImplementation((snapshot, event) => {
      const selected = select(snapshot, event);
      for (const transition of selected) this.#taken.add(transition);
      return selected;
    });
  }

  /** Fails and names what was not taken. */
  expectAll(): void {
    const nodes = [this.#machine.root, ...Object.values(this.#machine.root.states)];
    const defined = nodes.flatMap((node) => [
      ...[...node.transitions.values()].flat(),
      ...(node.always ?? []),
    ]);
    expect(defined.length).toBeGreaterThan(0);
    const missing = defined.filter((transition) => !this.#taken.has(transition));
    expect(missing.map(nameOf)).toEqual([]);
  }
}

function nameOf({ source, eventType, guard, target }: AnyTransitionDefinition): string {
  const condition = guard === undefined ? '' : ` [${String(guard)}]`;
  return `${source.key}: ${eventType || 'always'}${condition} -> ${target?.[0]?.key ?? 'itself'}`;
}
