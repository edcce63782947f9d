import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machines } from '../../src/actors/machines.js';
import type { MachineMeta } from '../../src/kernel/machine-meta.js';

/*
 * Charts and explanations are read from the machines, so each machine has to say what its states and transitions mean and
 * who sends its events.
 */

it.each(Object.keys(machines))(
  'the paths of the %s machine are tested, and each transition is seen',
  (name) => {
    const test = readFileSync(join(import.meta.dirname, `${name}.test.ts`), 'utf8');
    expect(test).toMatch(/\bnew Coverage\(\w+Machine\)/);
    expect(test).toMatch(/afterAll\([\s\S]*\bcoverage\.expectAll\(\)/);
  },
);

describe.each(Object.entries(machines))('the %s machine', (_name, machine) => {
  const nodes = [machine.root, ...Object.values(machine.root.states)];
  const transitions = nodes.flatMap((node) =>
    [...node.transitions].flatMap(([event, branches]) => branches.map((branch) => ({ node, event, branch }))),
  );
  const own = transitions.filter(({ event }) => !event.startsWith('xstate.'));

  it('says of each state what it means', () => {
    const mute = Object.values(machine.root.states).filter((state) => !state.description);
    expect(mute.map((state) => state.key)).toEqual([]);
  });

  it('says of each transition what it means, or that it refuses', () => {
    const mute = own.filter(
      ({ branch }) => !branch.description && !(branch.meta as MachineMeta | undefined)?.refuses,
    );
    expect(mute.map(({ node, event }) => `${node.key}: ${event}`)).toEqual([]);
  });

  it('leads nowhere where it refuses', () => {
    const moving = own.filter(
      ({ branch }) => (branch.meta as MachineMeta | undefined)?.refuses && branch.target,
    );
    expect(moving.map(({ node, event }) => `${node.key}: ${event}`)).toEqual([]);
  });

  it('says of each event who sends it', () => {
    const { senders = {} } = machine.root.meta as MachineMeta;
    expect(own.filter(({ event }) => !(event in senders)).map(({ event }) => event)).toEqual([]);
  });
});
