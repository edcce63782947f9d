import fc from 'fast-check';
import type { RestartKind, Strategy } from '../../../src/kernel/index.js';
import { restartKinds, strategies } from './fixture.js';

/** What a leaf does when it is asked to end. */
export interface Farewell {
  readonly does: 'ends' | 'crashes' | 'nothing';
  readonly afterMs: number;
}

interface NodeSpec {
  readonly id: string;
  readonly restart: RestartKind;
  readonly shutdown: 'brutal' | number;
}

export interface LeafSpec extends NodeSpec {
  readonly kind: 'leaf';
  readonly farewell: Farewell;
}

export interface SupervisorSpec extends NodeSpec {
  readonly kind: 'supervisor';
  readonly strategy: Strategy;
  readonly intensity: { readonly restarts: number; readonly withinMs: number };
  /** Undefined: no limit for the whole stop. */
  readonly shutdownMs: number | undefined;
  readonly quietMs: number;
  readonly children: readonly TreeSpec[];
}

/** A random tree of supervisors and leaves. Its root has the id `root`. */
export type TreeSpec = LeafSpec | SupervisorSpec;

/** What one coming start of a leaf does instead of going well. */
export type BadStart = 'throws' | 'input throws' | 'finishes';

/** What is done to a tree from outside. `target` chooses one of its nodes. */
export type Command =
  | { readonly type: 'finish' | 'stop' | 'shutdown'; readonly target: number }
  /** Crashes a leaf again and again, as often as it comes back at once. */
  | { readonly type: 'crash'; readonly target: number; readonly times: number }
  | { readonly type: 'spoil'; readonly target: number; readonly starts: readonly BadStart[] }
  | { readonly type: 'advance'; readonly ms: number }
  | { readonly type: 'shutdown root'; readonly deadlineMs: number };

const delay = fc.constantFrom(0, 1, 50, 150, 400, 1_100);
const farewell: fc.Arbitrary<Farewell> = fc.record({
  does: fc.constantFrom('ends', 'ends', 'crashes', 'nothing'),
  afterMs: delay,
});
const shutdown = fc.constantFrom<'brutal' | number>('brutal', 100, 300, 1_000, Number.POSITIVE_INFINITY);
const node = { id: fc.constant(''), restart: fc.constantFrom(...restartKinds, 'permanent'), shutdown };
const leaf: fc.Arbitrary<LeafSpec> = fc.record({ ...node, kind: fc.constant('leaf'), farewell });

function supervisor(depth: number): fc.Arbitrary<SupervisorSpec> {
  const child: fc.Arbitrary<TreeSpec> =
    depth === 1
      ? leaf
      : fc.oneof({ weight: 4, arbitrary: leaf }, { weight: 3, arbitrary: supervisor(depth - 1) });
  return fc.record({
    ...node,
    kind: fc.constant('supervisor'),
    strategy: fc.constantFrom(...strategies),
    intensity: fc.record({
      restarts: fc.constantFrom(...(depth === 3 ? [0, 2, 8, 20] : [0, 0, 1, 2, 3]), Number.POSITIVE_INFINITY),
      withinMs: fc.constantFrom(1, 300, 5_000, 30_000),
    }),
    shutdownMs: fc.constantFrom(undefined, undefined, 200, 2_000),
    quietMs: fc.constantFrom(100, 3_000, 30_000),
    children: fc.array(child, { minLength: depth - 1, maxLength: depth === 1 ? 3 : 4, size: 'max' }),
  });
}

function named(spec: TreeSpec, next: () => string): TreeSpec {
  const id = next();
  if (spec.kind === 'leaf') return { ...spec, id };
  return { ...spec, id, children: spec.children.map((child) => named(child, next)) };
}

/** Trees of up to three levels of supervisors. */
export const trees: fc.Arbitrary<SupervisorSpec> = supervisor(3).map((spec) => {
  let count = 0;
  const next = (): string => {
    count += 1;
    return count === 1 ? 'root' : `n${count - 1}`;
  };
  return named(spec, next) as SupervisorSpec;
});

const target = fc.nat(200);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 50,
    arbitrary: fc.record({ type: fc.constant('crash'), target, times: fc.constantFrom(1, 1, 1, 2, 3, 6) }),
  },
  { weight: 15, arbitrary: fc.record({ type: fc.constant('finish'), target }) },
  { weight: 15, arbitrary: fc.record({ type: fc.constant('stop'), target }) },
  { weight: 10, arbitrary: fc.record({ type: fc.constant('shutdown'), target }) },
  {
    weight: 20,
    arbitrary: fc.record({
      type: fc.constant('spoil'),
      target,
      starts: fc.array(fc.constantFrom<BadStart>('throws', 'input throws', 'finishes'), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  {
    weight: 35,
    arbitrary: fc.record({
      type: fc.constant('advance'),
      ms: fc.oneof(fc.constantFrom(0, 1, 50, 99, 100, 200, 300, 400, 1_000, 5_000, 31_000), fc.nat(3_000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('shutdown root'),
      deadlineMs: fc.constantFrom(0, 250, 3_000, 600_000),
    }),
  },
);

/** Leaves that fail as the tree starts come first, then what is done to it. */
export const scripts = fc.array(command, { minLength: 5, maxLength: 40, size: 'max' });

/** All nodes, the root first, each supervisor before its children. */
export function nodesOf(spec: TreeSpec): readonly TreeSpec[] {
  return spec.kind === 'leaf' ? [spec] : [spec, ...spec.children.flatMap(nodesOf)];
}
