import { sessionError } from '../../actors/errors.js';
import { idPattern } from '../../actors/ids.js';
import type { NodeFrame } from '../../actors/link/frames.js';

/** More than any node has to say in one turn: its window and what it has not yet got an ack for. */
const maxItems = 16_384;
const dispatchIds = idPattern('dp');

/**
 * Checks the shape of what a node says before any of it is acted on: that it is not too much, and that it names dispatches
 * by nothing but ids.
 *
 * @throws AppError `session.protocol`.
 */
export function checkNodeFrame(frame: NodeFrame): void {
  const started = frame.started ?? [];
  const others = [
    frame.hello?.inFlight ?? [],
    frame.mediation ?? [],
    frame.progress ?? [],
    frame.results ?? [],
    frame.cancelOutcomes ?? [],
  ];
  const items = others.reduce((sum, list) => sum + list.length, started.length);
  if (items > maxItems) {
    throw sessionError('protocol', `A frame may have at most ${maxItems} items, this one has ${items}`);
  }
  for (const id of started) requireId(id);
  for (const list of others) for (const { dispatchId } of list) requireId(dispatchId);
}

function requireId(id: string): void {
  if (!dispatchIds.test(id)) throw sessionError('protocol', 'A frame names something that is no dispatch id');
}
