import type { AppError } from '../../kernel/errors.js';
import { deviceError } from '../errors.js';

/** Labels by name, as operators set them. */
export type Labels = Readonly<Record<string, string>>;

/**
 * Whether there is a label of that name with that value. The one answer for grants and selectors: values are compared as they
 * stand, and a label that is not there has no value, not even the empty one.
 */
export function hasLabel(labels: Labels, name: string, value: string): boolean {
  return Object.hasOwn(labels, name) && labels[name] === value;
}

/** What an operator does to the labels of a device; those that it does not name stay. */
export interface LabelChange {
  /** New ones, and new values of those that it has. */
  readonly set: Labels;
  /** The names of those that it is to lose. */
  readonly remove: readonly string[];
}

/** How many labels a change may leave a device with: as many as the code of a pairing gives. */
const mostLabels = 32;

/** The labels after a change. */
export function relabelled(labels: Labels, { set, remove }: LabelChange): Labels {
  const kept = Object.entries(labels).filter(([name]) => !remove.includes(name));
  return Object.fromEntries([...kept, ...Object.entries(set)]);
}

/**
 * Why a change can not be made, if so: it changes nothing, says two things of one label, would remove one that is not there, or
 * leaves too many. A mistyped name is refused, because a label that stays lets run what a grant by it covers.
 */
export function faultOf(labels: Labels, change: LabelChange): AppError | undefined {
  const { set, remove } = change;
  if (remove.length === 0 && Object.keys(set).length === 0) {
    return badLabels('labels', 'No label is to be set or removed', 'Name at least one.');
  }
  const twice = remove.find((name) => Object.hasOwn(set, name));
  if (twice !== undefined) {
    return badLabels('remove', `Label ${twice} is to be set and removed`, 'Do one of the two.');
  }
  const missing = remove.find((name) => !Object.hasOwn(labels, name));
  if (missing !== undefined) {
    const has = Object.keys(labels).join(', ');
    return badLabels(
      'remove',
      `The device has no label ${missing}`,
      has === '' ? 'It has none at all.' : `It has: ${has}.`,
    );
  }
  const before = Object.keys(labels).length;
  const after = Object.keys(relabelled(labels, change)).length;
  // Pairings again with other labels may have left more: those can still be changed and removed.
  if (after <= Math.max(before, mostLabels)) return undefined;
  return badLabels(
    'labels',
    `The device would have ${after} labels: ${mostLabels} is the most`,
    'Remove some in the same request.',
  );
}

/** A change as the journal notes it: `role=edge, without site`. */
export function labelChangeText({ set, remove }: LabelChange): string {
  return [
    ...Object.entries(set).map(([name, value]) => `${name}=${value}`),
    ...remove.map((name) => `without ${name}`),
  ].join(', ');
}

function badLabels(field: string, message: string, hint: string): AppError {
  return deviceError('bad_labels', message, { fields: [{ field, message }], hint });
}
