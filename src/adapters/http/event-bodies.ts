import type { DispatchHappening, FeedCursor } from '../../actors/dispatch/view.js';
import type { DispatchEvent } from '../../contract/dispatch-events.js';
import { dispatchBody } from './bodies.js';
import { timeText } from './wire-types.js';

/** What happens to a dispatch as an event of its stream. */
export function eventBody(happening: DispatchHappening): DispatchEvent {
  const { event, at } = happening;
  const id = `${at.steps}.${at.epoch}.${at.sequence}`;
  switch (event) {
    case 'step':
      return { event, id, data: { ...happening.step, at: timeText(happening.step.at) } };
    case 'progress':
      return { event, id, data: { sequence: happening.sequence, value: happening.value } };
    case 'gap':
      return { event, id, data: { missed: happening.missed } };
    case 'end':
      return { event, id, data: dispatchBody(happening.record) };
  }
}

/** What happens to a dispatch, as the events of its stream. */
export async function* eventBodies(
  happenings: AsyncIterable<DispatchHappening>,
): AsyncGenerator<DispatchEvent> {
  for await (const happening of happenings) yield eventBody(happening);
}

/** Reads the id of an event, which has passed its schema. */
export function cursorOf(id: string): FeedCursor {
  const [steps = 0, epoch = 0, sequence = 0] = id.split('.').map(Number);
  return { steps, epoch, sequence };
}
