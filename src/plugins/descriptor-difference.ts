import { parseDuration } from '../kernel/duration.js';
import { compareSchemas } from './containment/containment.js';
import { sameValue } from './containment/facts.js';
import type { Descriptor, Permissions, Remember } from './descriptor.js';
import { pointerTo } from './json-pointer.js';
import { rememberDefault } from './manifest-schema.js';

/** What a change means for trust. `unknown` counts as wider: nobody can tell that it is not. */
export const changeKinds = ['wider', 'unknown', 'narrower', 'neutral'] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** One place at which two descriptors differ. */
export interface DescriptorChange {
  /** JSON pointer in the descriptor: of what is wider in the one before, else in the one after, where the two differ in shape. */
  readonly pointer: string;
  readonly kind: ChangeKind;
  /** For people: `input/url: maxLength raised from 100 to 2000`. It quotes what the plugin says, so it is to be printed with care. */
  readonly sentence: string;
}

/** What a new descriptor asks for beyond an old one. */
export interface DescriptorDifference {
  /** `wider` needs an operator; the others are covered by the approval of the old one. */
  readonly verdict: 'same' | 'neutral' | 'narrower' | 'wider';
  /** What is wider first. */
  readonly changes: readonly DescriptorChange[];
}

/**
 * Compares what a capability promises now with what it promised before. Wider is whatever lets more happen on the node, lets more come
 * back, or makes people or the daemon less careful:
 *
 * - its input accepts more, or its output can return more;
 * - the person at the node is asked no longer, or can allow more with one yes;
 * - it newly claims to be read-only or idempotent, since the daemon may then run it twice;
 * - it newly is destructive, or claims to be so no longer, since callers are then not asked to confirm;
 * - it asks for more permissions, leaves its own process, or may run for longer;
 * - it comes from another plugin or publisher, or has another name.
 *
 * Concurrency is neutral: it bounds how many runs a node takes at a time, and neither what one run can do nor how many are sent. Title,
 * description and examples are neutral: they are for people.
 *
 * Both stay data: nothing is compiled. Hostile schemas cost up to a second, so call it off the main loop.
 *
 * @example
 * compareDescriptors(before, { ...before, timeout: '1h' }).verdict; // 'wider'
 */
export function compareDescriptors(before: Descriptor, after: Descriptor): DescriptorDifference {
  const changes = [
    ...identity(before, after),
    ...schema('input', 'accepts', before, after),
    ...schema('output', 'returns', before, after),
    ...mediation(before, after),
    ...hints(before, after),
    ...permissions(before.permissions, after.permissions),
    ...isolation(before, after),
    ...limits(before, after),
    ...remarks(before, after),
  ];
  const sorted = [...changes].sort((a, b) => changeKinds.indexOf(a.kind) - changeKinds.indexOf(b.kind));
  return { verdict: verdictOf(changes), changes: sorted };
}

function verdictOf(changes: readonly DescriptorChange[]): DescriptorDifference['verdict'] {
  const has = (kind: ChangeKind): boolean => changes.some((change) => change.kind === kind);
  if (has('wider') || has('unknown')) return 'wider';
  if (has('narrower')) return 'narrower';
  return has('neutral') ? 'neutral' : 'same';
}

function* identity(before: Descriptor, after: Descriptor): Iterable<DescriptorChange> {
  for (const key of ['name', 'plugin', 'publisher'] as const) {
    if (before[key] === after[key]) continue;
    const sentence = `${key}: is ${quoted(after[key])} instead of ${quoted(before[key])}`;
    yield { pointer: `/${key}`, kind: 'wider', sentence };
  }
}

function schema(
  key: 'input' | 'output',
  verb: string,
  before: Descriptor,
  after: Descriptor,
): readonly DescriptorChange[] {
  const { verdict, differences } = compareSchemas(before[key], after[key]);
  if (verdict === 'equal') {
    const sentence = `${key}: says the same in other words`;
    return sameValue(before[key], after[key]) ? [] : [{ pointer: `/${key}`, kind: 'neutral', sentence }];
  }
  if (differences.length === 0) {
    return [{ pointer: `/${key}`, kind: 'unknown', sentence: `${key}: ${verb} something else` }];
  }
  return differences.map(({ place, pointer, kind, sentence }) => ({
    pointer: `/${key}${pointer}`,
    kind,
    sentence: `${key}${place === '' ? '' : `/${place}`}: ${sentence}`,
  }));
}

function* mediation(
  { mediation: before }: Descriptor,
  { mediation: after }: Descriptor,
): Iterable<DescriptorChange> {
  if (before.mode !== after.mode) {
    yield after.mode === 'none'
      ? {
          pointer: '/mediation/mode',
          kind: 'wider',
          sentence: 'mediation: nobody at the node is asked any more',
        }
      : {
          pointer: '/mediation/mode',
          kind: 'narrower',
          sentence: 'mediation: the person at the node is asked',
        };
  }
  const [was, is] = [before.remember, after.remember];
  if (sameValue(was, is) || after.mode === 'none') return;
  const pointer = '/mediation/remember';
  if (is === undefined) {
    yield { pointer, kind: 'narrower', sentence: 'mediation: no yes is remembered any more' };
  } else if (before.mode === 'local' && (was === undefined || was.pointer !== is.pointer)) {
    yield {
      pointer,
      kind: 'wider',
      sentence: `mediation: a yes may be remembered for ${quoted(is.pointer)}`,
    };
  } else if (before.mode === 'local' && was?.by !== is.by) {
    yield is.by === 'origin'
      ? { pointer, kind: 'wider', sentence: 'mediation: a yes may be remembered for a whole web origin' }
      : { pointer, kind: 'narrower', sentence: 'mediation: a yes is remembered for one value only' };
  }
  if (was !== undefined && is !== undefined && before.mode === 'local') yield* rememberedFor(was, is);
}

function* rememberedFor(was: Remember, is: Remember): Iterable<DescriptorChange> {
  if (was.for === is.for) return;
  const pointer = '/mediation/remember/for';
  const [from, to] = [was.for ?? rememberDefault, is.for ?? rememberDefault];
  const [before, after] = [parseDuration(from), parseDuration(to)];
  const sentence = `mediation: a yes may be remembered for ${to} instead of ${from}`;
  if (after > before) yield { pointer, kind: 'wider', sentence };
  else if (after < before) yield { pointer, kind: 'narrower', sentence };
  else yield { pointer, kind: 'neutral', sentence: 'mediation: the time is written in another way' };
}

const claims = {
  readOnly: 'changes nothing anywhere',
  idempotent: 'may be run twice',
} as const;

function* hints(before: Descriptor, after: Descriptor): Iterable<DescriptorChange> {
  for (const key of ['readOnly', 'idempotent'] as const) {
    if (before[key] === after[key]) continue;
    yield after[key]
      ? { pointer: `/${key}`, kind: 'wider', sentence: `${key}: newly claims that it ${claims[key]}` }
      : { pointer: `/${key}`, kind: 'narrower', sentence: `${key}: no longer claims that it ${claims[key]}` };
  }
  if (before.destructive === after.destructive) return;
  const sentence = after.destructive
    ? 'destructive: can newly delete or overwrite what someone may want back'
    : 'destructive: no longer says so, and callers are not asked to confirm';
  yield { pointer: '/destructive', kind: 'wider', sentence };
}

function* permissions(before: Permissions, after: Permissions): Iterable<DescriptorChange> {
  const lists = [
    ['/fileSystem/read', 'to read files', before.fileSystem?.read, after.fileSystem?.read],
    ['/fileSystem/write', 'to write files', before.fileSystem?.write, after.fileSystem?.write],
    ['/network', 'to contact', before.network, after.network],
    ['/environment', 'to be given the variables', before.environment, after.environment],
  ] as const;
  for (const [at, what, was = [], is = []] of lists) {
    const pointer = `/permissions${at}`;
    const more = is.filter((entry) => !was.includes(entry));
    const fewer = was.filter((entry) => !is.includes(entry));
    if (more.length > 0)
      yield { pointer, kind: 'wider', sentence: `permissions: asks ${what} ${listed(more)}` };
    if (fewer.length > 0)
      yield { pointer, kind: 'narrower', sentence: `permissions: no longer asks ${what} ${listed(fewer)}` };
  }
  const [was, is] = [before.childProcesses ?? false, after.childProcesses ?? false];
  const pointer = '/permissions/childProcesses';
  if (is && !was) yield { pointer, kind: 'wider', sentence: 'permissions: asks to start other programs' };
  if (was && !is)
    yield { pointer, kind: 'narrower', sentence: 'permissions: no longer asks to start other programs' };
}

function* isolation(before: Descriptor, after: Descriptor): Iterable<DescriptorChange> {
  if (before.isolation === after.isolation) return;
  yield after.isolation === 'inline'
    ? { pointer: '/isolation', kind: 'wider', sentence: 'isolation: runs inside the node host' }
    : { pointer: '/isolation', kind: 'narrower', sentence: 'isolation: runs in a process of its own' };
}

function* limits(before: Descriptor, after: Descriptor): Iterable<DescriptorChange> {
  const [was, is] = [parseDuration(before.timeout), parseDuration(after.timeout)];
  const from = `from ${before.timeout} to ${after.timeout}`;
  if (is > was) yield { pointer: '/timeout', kind: 'wider', sentence: `timeout: raised ${from}` };
  else if (is < was) yield { pointer: '/timeout', kind: 'narrower', sentence: `timeout: lowered ${from}` };
  else if (before.timeout !== after.timeout)
    yield { pointer: '/timeout', kind: 'neutral', sentence: 'timeout: is written in another way' };
  if (before.concurrency === after.concurrency) return;
  const sentence = `concurrency: changed from ${before.concurrency} to ${after.concurrency}`;
  yield { pointer: '/concurrency', kind: 'neutral', sentence };
}

function* remarks(before: Descriptor, after: Descriptor): Iterable<DescriptorChange> {
  for (const key of ['title', 'description'] as const) {
    if (before[key] === after[key]) continue;
    yield { pointer: pointerTo('', key), kind: 'neutral', sentence: `${key}: reads ${quoted(after[key])}` };
  }
  if (sameValue(before.examples, after.examples)) return;
  yield { pointer: '/examples', kind: 'neutral', sentence: 'examples: changed' };
}

function listed(entries: readonly string[]): string {
  const shown = entries.slice(0, 8).map(quoted).join(', ');
  return entries.length > 8 ? `${shown} and ${entries.length - 8} more` : shown;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
