import type { Clock } from '../../kernel/clock.js';
import { TokenBuckets } from '../../kernel/token-buckets.js';
import { sessionError } from '../errors.js';

/** A node in order registers once for each connection, and waits between connections. */
const perDevice = { burst: 60, perSecond: 2 };
/** Many devices may register at once, after a restart of the daemon: the connections are what is held back then. */
const together = { burst: 1e9, perSecond: 1e9 };
/** As many as can be connected at a time. */
const tableSize = 20_000;

/** How often a device may register: each time costs a write to the disk. */
export class RegistrationBudget {
  readonly #buckets: TokenBuckets;

  constructor(clock: Clock) {
    this.#buckets = new TokenBuckets(clock, { total: together, tableSize });
  }

  /** @throws AppError `session.busy` when the device has registered too often. */
  charge(deviceId: string): void {
    if (this.#buckets.take(deviceId, perDevice) === undefined) return;
    throw sessionError(
      'busy',
      `Device ${deviceId} registers more than ${perDevice.perSecond} times a second`,
      {
        hint: 'Wait a moment between connections.',
      },
    );
  }
}
