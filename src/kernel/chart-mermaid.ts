import type { Chart, ChartState, ChartTransition } from './chart.js';

/** Words that mean something to Mermaid where the id of a state may stand. */
const reserved = new Set([
  'accdescr',
  'acctitle',
  'as',
  'class',
  'classdef',
  'click',
  'default',
  'direction',
  'end',
  'hide',
  'note',
  'root',
  'scale',
  'state',
  'style',
]);

/**
 * Draws a chart as a Mermaid `stateDiagram-v2`. Arrows carry `event [guard]`, one line for each transition between the
 * same two states; one without an event is taken at once. What happens within a state stands in its box: entry and exit
 * actions, invoked actors, and transitions that stay. What holds in all inner states of the machine, or of a state with
 * inner ones, stands in a box `any state`.
 *
 * @see https://mermaid.js.org/syntax/stateDiagram.html
 * @example
 * writeFileSync('door.md', `# Door\n\n\`\`\`mermaid\n${mermaidOf(chartOf(door))}\`\`\`\n`);
 */
export function mermaidOf(chart: Chart): string {
  return new Drawing(chart).text();
}

class Drawing {
  readonly #root: ChartState;
  /** The names of states in the drawing, by their ids in the machine. */
  readonly #names = new Map<string, string>();
  /** Of each state with inner ones, the name of the box for what holds in all of them. */
  readonly #general = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #parents = new Map<string, ChartState>();

  constructor({ root }: Chart) {
    this.#root = root;
    this.#nameInside(root);
    this.#names.set(root.id, this.#general.get(root.id) ?? '');
  }

  text(): string {
    return `${['stateDiagram-v2', ...this.#inside(this.#root)].join('\n')}\n`;
  }

  #nameInside(state: ChartState): void {
    for (const child of state.states) {
      this.#parents.set(child.id, state);
      this.#names.set(child.id, this.#freeName(child.key));
      if (child.states.length > 0) this.#nameInside(child);
    }
    this.#general.set(state.id, this.#freeName(state === this.#root ? 'any_state' : `any_${state.key}`));
  }

  /** The key itself where Mermaid takes it as an id, so that the source can be read too. */
  #freeName(key: string): string {
    const isPlain = /^[A-Za-z]\w*$/.test(key) && !reserved.has(key.toLowerCase());
    let name = key;
    for (let number = 1; this.#taken.has(name) || (name === key && !isPlain); number++) name = `s${number}`;
    this.#taken.add(name);
    return name;
  }

  #name(id: string): string {
    return this.#names.get(id) ?? id;
  }

  #inside(state: ChartState): readonly string[] {
    const finals = state.states.filter(({ kind }) => kind === 'final');
    return [
      ...(state.initial === undefined ? [] : [`[*] --> ${this.#name(state.initial)}`]),
      ...this.#generalBox(state),
      ...state.states.flatMap((child) => this.#state(child)),
      ...this.#arrowsWithin(state),
      ...finals.map(({ id }) => `${this.#name(id)} --> [*]`),
    ].map((line) => `  ${line}`);
  }

  #generalBox(state: ChartState): readonly string[] {
    const name = this.#general.get(state.id) ?? '';
    const box = this.#box(state, name);
    const isLeft = state.transitions.some(({ targets }) => targets.some((id) => this.#isWithin(id, state)));
    if (box.length === 0 && !isLeft) return [];
    const label = state === this.#root ? 'any state' : `any state of ${state.key}`;
    return [`state "${escaped(label)}" as ${name}`, ...box];
  }

  #state(state: ChartState): readonly string[] {
    const name = this.#name(state.id);
    const label = state.kind === 'history' ? `${state.key} (history)` : state.key;
    const declaration = `state "${escaped(label)}" as ${name}`;
    if (state.states.length > 0) return [`${declaration} {`, ...this.#inside(state), '}'];
    const box = this.#box(state, name);
    return name === label && box.length === 0 ? [name] : [declaration, ...box];
  }

  /** What is written into a state's box, as UML does it. */
  #box(state: ChartState, name: string): readonly string[] {
    const stays = state.transitions.filter(({ targets, refuses }) => targets.length === 0 && !refuses);
    const acts = stays.filter(({ actions }) => actions.length > 0);
    const ignored = stays.filter(({ actions }) => actions.length === 0);
    const refused = state.transitions.filter(({ refuses }) => refuses).map(labelOf);
    const lines = [
      ...compartment('entry /', state.entry),
      ...compartment('exit /', state.exit),
      ...compartment('invoke /', state.invokes),
      ...acts.map((transition) => `${labelOf(transition)} / ${transition.actions.join(', ')}`),
      ...compartment('ignores', ignored.map(labelOf)),
      ...compartment('refuses', refused),
    ];
    return lines.map((line) => `${name} : ${escaped(line)}`);
  }

  /** The arrows for which this is the innermost state around both ends: Mermaid draws an arrow where it stands. */
  #arrowsWithin(scope: ChartState): readonly string[] {
    const states = [scope, ...below(scope)];
    // By where they lead: in that order Mermaid's layout keeps the labels of arrows back and forth apart.
    return states.flatMap((target) =>
      states.flatMap((source) => {
        const isInner = this.#isWithin(target.id, source);
        if ((isInner ? source : this.#around(source.id, target.id)) !== scope) return [];
        const labels = source.transitions.filter(({ targets }) => targets.includes(target.id)).map(labelOf);
        if (labels.length === 0) return [];
        const from = isInner ? this.#general.get(source.id) : this.#name(source.id);
        const lines = labels.map((label) => unbroken(escaped(label)));
        return [`${from} --> ${this.#name(target.id)} : ${lines.join('<br/>')}`];
      }),
    );
  }

  /** The innermost state around two others. */
  #around(one: string, other: string): ChartState {
    let state = this.#parents.get(one);
    while (state && !this.#isWithin(other, state)) state = this.#parents.get(state.id);
    return state ?? this.#root;
  }

  #isWithin(id: string, state: ChartState): boolean {
    for (let around = this.#parents.get(id); around; around = this.#parents.get(around.id)) {
      if (around === state) return true;
    }
    return false;
  }
}

function below(state: ChartState): readonly ChartState[] {
  return state.states.flatMap((child) => [child, ...below(child)]);
}

function compartment(head: string, parts: readonly string[]): readonly string[] {
  return parts.length === 0 ? [] : [`${head} ${parts.join(', ')}`];
}

function labelOf({ event, guard }: ChartTransition): string {
  if (guard === undefined) return event ?? 'always';
  return event === undefined ? `[${guard}]` : `${event} [${guard}]`;
}

/** Everything that could mean something to Mermaid or to HTML, as a character number (Mermaid's own notation). */
function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N} _.,/()[\]'+=!?|-]/gu, (character) => `#${character.codePointAt(0)};`);
}

/** With spaces that Mermaid does not break a line at: one line for each transition. */
function unbroken(text: string): string {
  return text.replaceAll(' ', '\u00a0');
}
