import type { Deadlines } from '../../kernel/deadlines.js';

/** How long a host has to answer, milliseconds: more than any line takes, and less than a node waits for Welcome. */
const answerLimitMs = 2_000;

interface Ping {
  readonly deviceId: string;
  settle(answered: boolean): void;
}

/**
 * Asks whether the host at the end of a session is there at this moment. A node answers on its newest stream only, so an
 * answer means that whoever else comes with its identity is another host, and not the node on its way to a new stream.
 */
export class Pings {
  readonly #deadlines: Deadlines;
  readonly #send: (deviceId: string, number: number) => boolean;
  readonly #open = new Map<number, Ping>();
  #last = 0;

  /** @param send asks the session of a device; false when it has none. */
  constructor(deadlines: Deadlines, send: (deviceId: string, number: number) => boolean) {
    this.#deadlines = deadlines;
    this.#send = send;
  }

  /** Whether the host of a device's session answers. */
  answers(deviceId: string): Promise<boolean> {
    this.#last = (this.#last % 0xffff_ffff) + 1;
    const number = this.#last;
    return new Promise((resolve) => {
      const ping: Ping = {
        deviceId,
        settle: (answered) => {
          this.#open.delete(number);
          this.#deadlines.release(ping);
          resolve(answered);
        },
      };
      this.#open.set(number, ping);
      this.#deadlines.set(ping, answerLimitMs, () => ping.settle(false), { label: 'ping' });
      if (!this.#send(deviceId, number)) ping.settle(false);
    });
  }

  /** The host of a device's session has answered. */
  pong(deviceId: string, number: number): void {
    const ping = this.#open.get(number);
    if (ping?.deviceId === deviceId) ping.settle(true);
  }

  /** The session of a device is over: it answers nothing more. */
  ended(deviceId: string): void {
    for (const ping of [...this.#open.values()]) if (ping.deviceId === deviceId) ping.settle(false);
  }
}
