import type { ServerWritableStream } from '@grpc/grpc-js';
import type { Pairings } from '../../actors/pairing/pairings.js';
import type { PairingRecord } from '../../actors/pairing/record.js';
import type { DecisionEvent } from './gen/palyra/node/v1/DecisionEvent.js';
import { toStatus } from './status.js';

/** What an approval tells beside the certificate. */
export interface DaemonFacts {
  /** CA certificates (PEM) that verify the daemon; the current one first. */
  caCertificates(): readonly string[];
  nodeAddresses(): readonly string[];
  enrollmentAddresses(): readonly string[];
}

export interface DecisionStreamsOptions extends DaemonFacts {
  readonly pairings: Pairings;
}

type Call = ServerWritableStream<unknown, DecisionEvent>;

/** How often a waiting node is told that its request is still pending, milliseconds. */
const pendingIntervalMs = 20_000;
const streamsPerPairing = 4;

/** The streams on which machines wait for the decision about their request. */
export class DecisionStreams {
  readonly #options: DecisionStreamsOptions;
  /** By pairing: how to end each stream that waits for it, oldest first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(options: DecisionStreamsOptions) {
    this.#options = options;
  }

  /**
   * Tells a machine what becomes of its request, until that is decided or one of them ends the call.
   *
   * @param asked the request, once it is taken
   * @param refused called when it was not taken
   */
  serve(call: Call, asked: Promise<PairingRecord>, refused: (error: unknown) => void): void {
    const { pairings } = this.#options;
    let finished = false;
    let unwatch = (): void => {};
    let leave = (): void => {};
    let pending: NodeJS.Timeout | undefined;
    const finish = (): void => {
      finished = true;
      unwatch();
      clearInterval(pending);
      leave();
    };
    const giveWay = (): void => {
      finish();
      call.end();
    };
    const tell = (record: PairingRecord): void => {
      if (finished) return;
      const event = decisionEvent(this.#options, record);
      if (!event) return;
      call.write(event);
      if (event.pending) return;
      finish();
      call.end();
    };
    call.on('cancelled', finish);
    asked.then(
      (record) => {
        if (finished) return;
        leave = this.#join(record.id, giveWay);
        unwatch = pairings.watch(record.id, tell);
        pending = setInterval(() => tell(pairings.get(record.id) ?? record), pendingIntervalMs);
        tell(record);
      },
      (error: unknown) => {
        finish();
        refused(error);
        call.emit('error', toStatus(error));
      },
    );
  }

  /**
   * Lets a stream wait for a pairing; beyond a few, the one that has waited longest gives way. A machine needs one, and has
   * more only until its lost ones are noticed. Returns the function that ends this.
   */
  #join(pairingId: string, giveWay: () => void): () => void {
    const streams = this.#waiting.get(pairingId) ?? [];
    this.#waiting.set(pairingId, streams);
    streams.push(giveWay);
    const leave = (): void => {
      const at = streams.indexOf(giveWay);
      if (at !== -1) streams.splice(at, 1);
      if (streams.length === 0 && this.#waiting.get(pairingId) === streams) this.#waiting.delete(pairingId);
    };
    if (streams.length > streamsPerPairing) streams[0]?.();
    return leave;
  }
}

/** What a waiting node is told of its pairing; undefined while there is nothing to tell. */
function decisionEvent(facts: DaemonFacts, record: PairingRecord): DecisionEvent | undefined {
  const pairingId = record.id;
  switch (record.state) {
    case 'proving':
      return undefined;
    case 'pending_approval':
      return { pairingId, pending: { expiresInMs: Math.max(0, record.expiresAt - record.updatedAt) } };
    case 'approved':
    case 'completed':
      return {
        pairingId,
        approved: {
          certificate: record.certificate ?? '',
          caCertificates: [...facts.caCertificates()],
          nodeAddresses: [...facts.nodeAddresses()],
          enrollmentAddresses: [...facts.enrollmentAddresses()],
          name: record.decision?.name ?? '',
        },
      };
    case 'rejected':
    case 'cancelled':
      return { pairingId, rejected: { reason: record.decision?.reason ?? '' } };
    case 'expired':
      return { pairingId, expired: {} };
  }
}
