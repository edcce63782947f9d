import { Retention, type RetentionOptions } from '../retention.js';
import { orderOfFanout } from './orders.js';
import { terminalFanoutStates } from './record.js';

/** Deletes fan-outs that ended long ago, each with its order. Their dispatches go by themselves, at about the same time. */
export class FanoutRetention extends Retention {
  constructor(options: RetentionOptions) {
    super(
      {
        kind: 'fanout',
        label: 'fan-outs',
        states: terminalFanoutStates,
        isNeeded: () => false,
        alongside: async (head) => orderOfFanout(head),
      },
      options,
    );
  }
}
