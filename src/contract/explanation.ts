import { Type } from 'typebox';
import { closed, time, type Wire, words } from './primitives.js';

const JournalEntrySchema = Type.Object(
  {
    version: Type.Integer({ description: 'the version of the record that it led to' }),
    at: time('when'),
    event: Type.String({ description: 'what led to it' }),
    by: Type.String({ description: 'who caused it' }),
    from: Type.String({ description: "the state before; '' at first" }),
    to: Type.String({ description: 'the state after' }),
    note: Type.Optional(Type.String({ description: 'why' })),
  },
  closed,
);

const AcceptedEventSchema = Type.Object(
  {
    event: Type.String(),
    sender: Type.String({ description: 'who may send it' }),
    permission: Type.Boolean({ description: 'it takes permission; otherwise a part of the system sends it' }),
    branches: Type.Array(
      Type.Object(
        {
          guard: Type.Optional(Type.String({ description: 'the condition under which it is this one' })),
          target: Type.Optional(Type.String({ description: 'the state that it leads to' })),
          description: Type.Optional(Type.String({ description: 'what it means' })),
        },
        closed,
      ),
      { description: 'what it leads to: the first whose condition holds' },
    ),
  },
  closed,
);

/** Any subject of an explanation: an id, a device id with or without grouping, or a name. Nothing else gets past the edge. */
export const explanationParams = Type.Object(
  {
    subject: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
      description:
        'the id of a dispatch, a fan-out or a pairing, or a node by its name, its id or the beginning of its id',
    }),
  },
  closed,
);

export const ExplanationSchema = Type.Object(
  {
    kind: words(['dispatch', 'fanout', 'pairing', 'node'], 'what it is'),
    id: Type.String(),
    title: Type.String({ description: 'what it is, for a person' }),
    address: Type.String({ description: 'the address of its actor' }),
    state: Type.String({ description: 'the state of its record' }),
    actorState: Type.Optional(Type.String({ description: 'the state of its actor; absent when none runs' })),
    ended: Type.Boolean({ description: 'it has ended for good' }),
    since: Type.Optional(time('since when it is in this state')),
    description: Type.String({ description: 'what the state means and waits for' }),
    notes: Type.Array(Type.String(), { description: 'what else bears on it' }),
    history: Type.Array(JournalEntrySchema, { description: 'what happened, oldest first' }),
    accepts: Type.Array(AcceptedEventSchema, { description: 'what it takes now, and from whom' }),
    deadlines: Type.Array(
      Type.Object(
        { label: Type.String(), event: Type.Optional(Type.String()), at: time('when it is due') },
        closed,
      ),
      { description: 'what it waits for at most, soonest first' },
    ),
    next: Type.Optional(
      Type.Object(
        {
          at: time('when'),
          label: Type.String({ description: 'which deadline it is' }),
          leadsTo: Type.Array(Type.String(), { description: 'what comes of it: the first that applies' }),
        },
        { ...closed, description: 'what happens by itself if nothing else does' },
      ),
    ),
  },
  closed,
);
export type Explanation = Wire<typeof ExplanationSchema>;
