import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { propertyRuns } from '../../support/property-runs.js';
import { idOf, moments, RealTree } from './real-tree.js';
import { nodesOf, trees } from './tree-spec.js';

/*
 * Actors that bring others down as they start or stop, as their input is made, as others hear of their end or write it to
 * the log: all of that runs on the stack of a supervisor, and that one, its victim or its own supervisor may be among the
 * victims. There is no model of who wins; what must hold is that each runs at most once where it can be reached, that none
 * starts before the one that it replaces is gone, and that in the end nothing is left.
 */
const numRuns = propertyRuns(300);

const event = fc.constantFrom('crash', 'crash', 'finish', 'xstate.stop', 'kernel.shutdown');
const harm = fc.record({ target: fc.nat(200), event });
const step = fc.oneof(
  fc.record({
    type: fc.constant('harm'),
    moment: fc.constantFrom(...moments),
    target: fc.nat(200),
    harms: fc.array(harm, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ type: fc.constant('send'), target: fc.nat(200), event }),
  fc.record({ type: fc.constant('later'), ms: fc.constantFrom(0, 200, 1_000), target: fc.nat(200), event }),
  fc.record({ type: fc.constant('advance'), ms: fc.constantFrom(0, 100, 400, 1_000, 31_000) }),
);

it(
  'runs each actor once and leaves nothing, whoever is brought down by whom',
  async () => {
    // XState's word on events that come too late: in these scripts they are meant to.
    using _quiet = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await fc.assert(
      fc.asyncProperty(trees, fc.array(step, { maxLength: 25, size: 'max' }), async (spec, script) => {
        const real = new RealTree(spec);
        const nodes = nodesOf(spec).slice(1);
        const nodeAt = (target: number): string => nodes[target % nodes.length]?.id ?? '';
        const victimOf = ({ target, event: type }: { target: number; event: string }) => ({
          victim: nodeAt(target),
          event: type,
        });
        for (const [index, each] of script.entries()) {
          if (index === Math.floor(script.length / 3)) real.start();
          if (each.type === 'harm') real.plan(each.moment, nodeAt(each.target), each.harms.map(victimOf));
          else if (each.type === 'later')
            real.kernel.deadlines.set({}, each.ms, () => real.send(nodeAt(each.target), each.event));
          else if (each.type === 'advance') real.clock.advance(each.ms);
          else real.send(nodeAt(each.target), each.event);

          const owned = real.owned.map(idOf);
          expect(new Set(owned).size).toBe(owned.length);
          const reachable = real.kernel.directory.addresses().map(String);
          expect(reachable).toEqual(expect.arrayContaining(owned));
        }
        if (!real.root) real.start();
        void real.root?.shutdown('test', 60_000);
        real.clock.advance(60_000);
        expect(real.owned).toEqual([]);
        expect(real.overlaps).toEqual([]);
        // Somebody started before the one that it replaces was gone.
        expect(real.errors).not.toContainEqual(expect.objectContaining({ code: 'kernel.address_taken' }));
        expect(real.kernel.directory.addresses()).toEqual([]);
        expect(real.kernel.deadlines.size).toBe(0);
        expect(real.clock.timers).toBe(0);
        await real.root?.stopped;
      }),
      { numRuns },
    );
  },
  20_000 + numRuns * 30,
);
