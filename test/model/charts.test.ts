import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machines } from '../../src/actors/machines.js';
import { chartOf } from '../../src/kernel/chart.js';
import { mermaidOf } from '../../src/kernel/chart-mermaid.js';
import { parseMermaid } from '../support/mermaid.js';

const actors = join(import.meta.dirname, '..', '..', 'src', 'actors');

describe('the list of machines', () => {
  it('has every machine that is defined', () => {
    const files = readdirSync(actors, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
    );
    const defined = files.flatMap((name) => [
      ...readFileSync(join(actors, name), 'utf8').matchAll(/createMachine\(\{\s*id: '([^']+)'/g),
    ]);
    expect(defined.map((match) => match[1]).sort()).toEqual(
      Object.values(machines)
        .map(({ id }) => id)
        .sort(),
    );
  });
});

describe.each(Object.entries(machines))('the chart of the %s machine', (_name, machine) => {
  it('shows Mermaid each state, each transition with its event and guard, and each action of a state', async () => {
    const { states, arrows } = await parseMermaid(mermaidOf(chartOf(machine)));
    const boxes = new Map(states.map(({ id, lines }) => [id, lines.join('\n')]));
    const labels = (from: string, to: string): string[] =>
      arrows
        .filter((arrow) => arrow.from === from && arrow.to === to)
        .flatMap(({ label }) => label.split('<br/>'));

    expect(arrows.filter(({ from }) => from === 'root_start').map(({ to }) => to)).toEqual([
      machine.root.initial.target[0]?.key,
    ]);
    for (const node of [machine.root, ...Object.values(machine.root.states)]) {
      const from = node === machine.root ? 'any_state' : node.key;
      const box = boxes.get(from) ?? '';
      for (const action of [...node.entry, ...node.exit]) expect(box).toContain(String(action));
      expect(arrows.some((arrow) => arrow.from === from && arrow.to === 'root_end')).toBe(
        node.type === 'final',
      );

      const branches = [...node.transitions.values(), node.always ?? []].flat();
      for (const { guard, target, eventType, reenter } of branches) {
        const event = eventType.startsWith('xstate.') ? '' : eventType;
        const leaves = target !== undefined && (target[0] !== node || reenter);
        const shown = leaves ? labels(from, target[0]?.key ?? '') : box.split('\n');
        const wanted = typeof guard === 'string' ? `[${guard}]` : '';
        expect(shown.filter((line) => line.includes(event) && line.includes(wanted))).not.toEqual([]);
      }
    }
  });
});
