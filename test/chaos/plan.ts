import type { Chance } from './chance.js';
import type { Capability, CountingInput } from './counting-plugins.js';
import type { RequestKind } from './history.js';

/** One request as it is meant. */
export interface PlannedRequest {
  readonly kind: RequestKind;
  readonly capability: Capability;
  readonly wait: boolean;
  readonly queue: boolean;
  /** Whether it comes with a key of its own. What needs one and has none gets one from the client. */
  readonly keyed: boolean;
  /** Two clients ask at once, with the same key. */
  readonly twice: boolean;
  readonly timeoutMs: number;
  readonly work: Omit<CountingInput, 'token'>;
  /** It is to be cancelled so long after it was accepted. */
  readonly cancelAfterMs?: number;
}

const weights = { waited: 30, once: 26, keyed: 12, unwaited: 12, queued: 8, cancelled: 8, hurried: 4 };

/** How long a handler may take, milliseconds: longer than any does that is not hurried. */
const timeoutMs = 15_000;

/** The next request of a client. */
export function planRequest(chance: Chance): PlannedRequest {
  const kind = chance.pick(weights);
  const again = kind === 'waited' || kind === 'keyed' || (kind !== 'once' && chance.happens(0.4));
  const hurried = kind === 'hurried';
  const keyed = kind === 'keyed' || (!again && chance.happens(0.5));
  return {
    kind,
    capability: `${again ? 'again' : 'once'}_${chance.happens(0.5) ? 'inline' : 'process'}.run`,
    wait: kind === 'waited' || kind === 'keyed' || kind === 'once' || hurried,
    queue: kind === 'queued',
    keyed,
    twice: keyed && chance.happens(0.2),
    timeoutMs: hurried ? chance.between(10, 150) : timeoutMs,
    work: {
      ms: hurried ? chance.between(50, 400) : workMs(chance, kind === 'cancelled'),
      heeds: chance.happens(0.9),
    },
    ...(kind === 'cancelled' ? { cancelAfterMs: chance.between(0, 400) } : {}),
  };
}

function workMs(chance: Chance, isLong: boolean): number {
  if (isLong) return chance.between(0, 800);
  const length = chance.pick({ none: 55, short: 35, long: 10 });
  return length === 'none' ? 0 : length === 'short' ? chance.between(1, 60) : chance.between(60, 1_200);
}
