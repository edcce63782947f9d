import type { AppError } from '../../kernel/errors.js';
import { didYouMean } from '../../kernel/nearest.js';
import type { Devices } from '../device/devices.js';
import { hasLabel } from '../device/labels.js';
import type { DeviceRecord } from '../device/record.js';
import { resolveNode } from '../dispatch/targets.js';
import { selectorError } from '../errors.js';
import { parseSelector } from './parse-selector.js';
import { type Selector, type SelectorKey, selectorKeys, selectorText } from './selector.js';

type Test = (device: DeviceRecord) => boolean;

/**
 * The devices that are trusted and that a selector means, sorted by name and then by id, so that the same selector over the same
 * devices always gives the same order.
 *
 * @param text the selector; undefined for all.
 * @throws AppError `selector.invalid`, `selector.matches_nothing`, and for a node that is named what `resolveNode` throws.
 */
export function selectNodes(devices: Devices, text: string | undefined): readonly DeviceRecord[] {
  const trusted = [...devices.all()].filter(({ state }) => state === 'trusted');
  const selector = text === undefined ? undefined : parseSelector(text);
  const found = selector === undefined ? trusted : trusted.filter(testOf(selector, devices));
  if (found.length === 0) throw matchesNothing(selector, trusted);
  return found.sort((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
}

/** What a selector asks of a device. Nodes that are named are looked up here, once; also under `not`, where a slip would hide. */
function testOf(selector: Selector, devices: Devices): Test {
  switch (selector.kind) {
    case 'label':
      return ({ labels }) => hasLabel(labels, selector.name, selector.value);
    case 'key':
      return keyTest(selector.key, patternTest(selector.pattern));
    case 'node': {
      const { id } = resolveNode(devices, selector.text);
      return (device) => device.id === id;
    }
    case 'not': {
      const operand = testOf(selector.operand, devices);
      return (device) => !operand(device);
    }
    default: {
      const operands = selector.operands.map((operand) => testOf(operand, devices));
      return selector.kind === 'and'
        ? (device) => operands.every((test) => test(device))
        : (device) => operands.some((test) => test(device));
    }
  }
}

/** A capability counts when the node offers it, approved or not: a target that may not run it is to be seen, not to be missing. */
function keyTest(key: SelectorKey, fits: (text: string) => boolean): Test {
  switch (key) {
    case 'capability':
      return ({ offered }) => offered.some(({ capability }) => fits(capability));
    case 'platform':
      return ({ facts }) => fits(facts.platform);
    case 'arch':
      return ({ facts }) => fits(facts.arch);
    case 'name':
      return ({ name }) => fits(name);
  }
}

/** Whether a text fits a pattern in which `*` stands for any characters: each piece is looked for once, from left to right. */
function patternTest(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    const end = text.length - last.length;
    for (const piece of rest) {
      const found = text.indexOf(piece, at);
      if (found === -1) return false;
      at = found + piece.length;
    }
    return at <= end;
  };
}

function matchesNothing(selector: Selector | undefined, trusted: readonly DeviceRecord[]): AppError {
  if (selector === undefined || trusted.length === 0) {
    return selectorError('matches_nothing', 'There is no node that may run anything', {
      hint: 'Let a machine join: palyra pair',
    });
  }
  return selectorError('matches_nothing', `No node fits ${selectorText(selector)}`, {
    fields: [{ field: 'selector', message: 'matches no node' }],
    hint: slipOf(selector, trusted) ?? 'See the labels, platform and capabilities of each: palyra inventory',
  });
}

/** A label that no node has, with what may have been meant by it. */
function slipOf(selector: Selector, trusted: readonly DeviceRecord[]): string | undefined {
  const used = new Set(trusted.flatMap(({ labels }) => Object.keys(labels)));
  const strange = labelNames(selector).find((name) => !used.has(name));
  if (strange === undefined) return undefined;
  const key = selectorKeys.find((one) => one === strange);
  const meant = key === undefined ? didYouMean(strange, used) : `Did you mean '${key}:'?`;
  return `No node has a label ${strange}.${meant === undefined ? '' : ` ${meant}`}`;
}

function labelNames(selector: Selector): readonly string[] {
  if (selector.kind === 'label') return [selector.name];
  if (selector.kind === 'not') return labelNames(selector.operand);
  return 'operands' in selector ? selector.operands.flatMap(labelNames) : [];
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
