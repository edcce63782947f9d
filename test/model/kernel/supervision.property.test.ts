import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../support/property-runs.js';
import { LeafProcess } from './otp-leaf.js';
import { ModelTree } from './otp-model.js';
import { idOf, RealTree } from './real-tree.js';
import { type Command, nodesOf, type SupervisorSpec, scripts, type TreeSpec, trees } from './tree-spec.js';

/*
 * Random trees of supervisors, to which random things happen, beside a model of OTP's rules. After each command both must
 * agree on who started and ended under each supervisor and in which order, how each ended and through which causes, who
 * runs, and how many timers there are. At the end the root is shut down, and nothing may be left.
 */
const numRuns = propertyRuns(300);

/** What of a tree can be compared. */
function seen(real: RealTree): object {
  return {
    trace: Object.fromEntries(real.trace),
    running: real.kernel.directory.addresses().toSorted(),
    timers: real.kernel.deadlines.size,
  };
}

function expected({ world }: ModelTree): object {
  return {
    trace: Object.fromEntries(world.trace),
    running: [...world.running.keys()].sort(),
    timers: world.timers,
  };
}

/** The node that a command is for: one that runs as a rule, any node for one number in ten. */
function chosen(
  target: number,
  spec: SupervisorSpec,
  { world }: ModelTree,
  leavesOnly: boolean,
): TreeSpec | undefined {
  const nodes = nodesOf(spec).filter(({ id, kind }) => id !== 'root' && (kind === 'leaf' || !leavesOnly));
  const running = nodes.filter(({ id }) => world.running.has(id));
  const from = target % 10 === 0 || running.length === 0 ? nodes : running;
  return from[target % from.length];
}

const eventOf = { crash: 'crash', finish: 'finish', stop: 'xstate.stop', shutdown: 'kernel.shutdown' };

function apply(command: Command, spec: SupervisorSpec, real: RealTree, model: ModelTree): void {
  switch (command.type) {
    case 'advance':
      real.clock.advance(command.ms);
      model.world.advance(command.ms);
      return;
    case 'shutdown root':
      void real.root?.shutdown('test', command.deadlineMs);
      model.shutdown(command.deadlineMs);
      return;
    case 'spoil': {
      const id = chosen(command.target, spec, model, true)?.id;
      if (id === undefined) return;
      real.bad.set(id, [...command.starts]);
      model.world.bad.set(id, [...command.starts]);
      return;
    }
    default: {
      const { type, target } = command;
      const id = chosen(target, spec, model, type === 'crash' || type === 'finish')?.id;
      if (id === undefined) return;
      for (let times = type === 'crash' ? command.times : 1; times > 0; times -= 1) {
        const process = model.world.running.get(id);
        expect(real.send(id, eventOf[type])).toBe(process !== undefined);
        if (type === 'stop') process?.stop();
        else if (type === 'shutdown') process?.shutdown();
        else if (process instanceof LeafProcess) {
          if (type === 'crash') process.crash();
          else process.end({ kind: 'done' });
        }
      }
    }
  }
}

/** How far the random scripts got: a generator that only makes small talk would find nothing. */
const reached = { starts: 0, restarts: 0, stops: 0, escalations: 0, 'escalations through several': 0 };

function count({ world }: ModelTree): void {
  const entries = [...world.trace.values()].flat();
  const starts = entries.filter((entry) => entry.startsWith('+'));
  const given = entries.map((entry) => entry.split('gave up').length - 1);
  reached.starts += starts.length;
  reached.restarts += starts.length - new Set(starts).size;
  reached.stops += entries.filter((entry) => entry.endsWith(' stopped')).length;
  reached.escalations += given.filter((times) => times > 0).length;
  reached['escalations through several'] += given.filter((times) => times > 1).length;
}

it(
  'supervises as OTP does, whatever happens',
  async () => {
    await fc.assert(
      fc.asyncProperty(trees, scripts, async (spec, script) => {
        const real = new RealTree(spec);
        const model = new ModelTree(spec);
        const first = script.findIndex(({ type }) => type !== 'spoil');
        const split = first === -1 ? script.length : first;
        for (const command of script.slice(0, split)) apply(command, spec, real, model);
        real.start();
        model.root.start();
        expect(seen(real)).toEqual(expected(model));
        for (const command of script.slice(split)) {
          apply(command, spec, real, model);
          expect(seen(real)).toEqual(expected(model));
          const leaves = nodesOf(spec).filter(({ kind }) => kind === 'leaf');
          const up = leaves.filter(({ id }) => model.world.running.has(id)).map(({ id }) => id);
          expect(real.owned.map(idOf).sort()).toEqual(up.sort());
        }

        apply({ type: 'shutdown root', deadlineMs: 10_000 }, spec, real, model);
        apply({ type: 'advance', ms: 10_000 }, spec, real, model);
        expect(seen(real)).toEqual({ ...expected(model), running: [], timers: 0 });
        expect(real.owned).toEqual([]);
        expect(real.overlaps).toEqual([]);
        expect(real.clock.timers).toBe(0);
        count(model);
        const { status } = (await real.root?.stopped) ?? {};
        expect(status).toBe(model.root.ended?.kind === 'crashed' ? 'error' : model.root.ended?.kind);
      }),
      { numRuns },
    );
    console.info(`${numRuns} trees: ${JSON.stringify(reached)}`);
    expect(reached.restarts).toBeGreaterThan(numRuns);
    expect(reached['escalations through several']).toBeGreaterThan(0);
  },
  20_000 + numRuns * 30,
);
