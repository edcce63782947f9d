import { Type } from 'typebox';
import { DispatchSchema, DispatchStepSchema } from './dispatch.js';
import { closed, type Wire } from './primitives.js';

/** Where a reader of a dispatch has got to, as `id` of an event says it. */
const eventId = Type.String({
  pattern: '^(?:0|[1-9][0-9]{0,8})\\.(?:0|[1-9][0-9]{0,14})\\.(?:0|[1-9][0-9]{0,9})$',
  description: 'where the reader has got to: give it back as it is to go on after this event',
});

/** One server-sent event of a dispatch: its type, its id, and its data as JSON. */
export const DispatchEventSchema = Type.Union([
  Type.Object({ event: Type.Literal('step'), id: eventId, data: DispatchStepSchema }, closed),
  Type.Object(
    {
      event: Type.Literal('progress'),
      id: eventId,
      data: Type.Object(
        {
          sequence: Type.Integer({ description: '1, 2, 3 … in the order in which the handler sent them' }),
          value: Type.Unknown({ description: 'what the handler sent: any JSON, and of no checked shape' }),
        },
        closed,
      ),
    },
    closed,
  ),
  Type.Object(
    {
      event: Type.Literal('gap'),
      id: eventId,
      data: Type.Object(
        { missed: Type.Integer({ description: 'so many progress values were dropped on their way' }) },
        closed,
      ),
    },
    closed,
  ),
  Type.Object({ event: Type.Literal('end'), id: eventId, data: DispatchSchema }, closed),
]);
export type DispatchEvent = Wire<typeof DispatchEventSchema>;

export const FollowDispatchSchema = Type.Object({ after: Type.Optional(eventId) }, closed);

/** What a client that lost its stream sends (WHATWG HTML, server-sent events); it counts more than `after`. */
export const LastEventIdSchema = Type.Object({ 'last-event-id': Type.Optional(eventId) });
