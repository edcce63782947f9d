import type { AppError } from '../../kernel/errors.js';
import type { FrameBatch } from '../link/batch.js';
import type { DaemonFrame, NodeFrame, Registered } from '../link/frames.js';

/** A stream to the daemon, as its adapter offers it. */
export interface UplinkLink {
  readonly batch: FrameBatch<NodeFrame>;
  /** SHA-256 of the certificate that it was opened with, hex. */
  readonly fingerprint: string;
  /** Opens the session, once `registered` was heard. @param handedOver the node has ended its earlier stream itself. */
  hello(handedOver: boolean): void;
  /** Ends the stream once everything that was said before is written. Nothing is heard of it any more. */
  close(): void;
}

/** What an adapter reports about one stream. Nothing comes after `ended`. */
export interface UplinkHandlers {
  registered(registered: Registered): void;
  frame(frame: DaemonFrame): void;
  ended(error: AppError | undefined): void;
}
