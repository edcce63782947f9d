import { sendToSession, sessionAddress } from '../actors/addresses.js';
import { sessionError } from '../actors/errors.js';
import { FrameBatch } from '../actors/link/batch.js';
import type { DaemonFrame, Hello, NodeFrame, Registered, RegisterNode } from '../actors/link/frames.js';
import type { NodePeer, Sessions } from '../actors/session/sessions.js';
import type { UplinkHandlers, UplinkLink } from '../actors/uplink/link.js';
import { type AppError, toAppError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Life } from './process-life.js';

interface Sent<F> {
  readonly frame: F;
  readonly written: () => void;
}

/** The daemon's end: what the node port's adapter has at hand. */
export interface DaemonEnd {
  readonly life: Life;
  readonly kernel: Kernel;
  readonly sessions: Sessions;
}

/** The node's end. */
export interface NodeEnd {
  readonly life: Life;
  readonly kernel: Kernel;
  readonly peer: NodePeer;
  register(): RegisterNode;
  hello(epoch: number, surfaceDigest: string): Omit<Hello, 'handedOver'>;
}

/**
 * One connection in memory, which does what the gRPC adapters do: registers, opens the stream with Hello, hands frames
 * to the session's actor. A frame moves only when `deliverUp` or `deliverDown` is called, and is lost with the connection.
 */
export class Wire {
  readonly uplink: UplinkLink;
  readonly #daemon: DaemonEnd;
  readonly #node: NodeEnd;
  readonly #handlers: UplinkHandlers;
  readonly #up: Sent<NodeFrame>[] = [];
  readonly #down: Sent<DaemonFrame>[] = [];
  readonly #downBatch: FrameBatch<DaemonFrame>;
  #phase: 'hello' | 'opening' | 'open' | 'over' = 'hello';
  #epoch = 0;
  #early: NodeFrame[] = [];
  #lastUp: NodeFrame | undefined;
  #lastDown: DaemonFrame | undefined;
  #nodeIsDone = false;
  #broken = false;
  /** The daemon has ended the stream: the node hears so after all that was said before. */
  #endOfDown: { readonly error: AppError | undefined } | undefined;

  constructor(daemon: DaemonEnd, node: NodeEnd, handlers: UplinkHandlers) {
    this.#daemon = daemon;
    this.#node = node;
    this.#handlers = handlers;
    const upBatch = new FrameBatch<NodeFrame>(
      (frame, written) => this.#up.push({ frame, written }),
      () => node.kernel.clock.now(),
    );
    this.#downBatch = new FrameBatch<DaemonFrame>(
      (frame, written) => this.#down.push({ frame, written }),
      () => daemon.kernel.clock.now(),
    );
    let registered: Registered | undefined;
    this.uplink = {
      batch: upBatch,
      fingerprint: node.peer.fingerprint,
      hello: (handedOver) => {
        if (!registered || this.#broken || this.#nodeIsDone) return;
        upBatch.set('hello', { ...node.hello(registered.epoch, registered.surfaceDigest), handedOver });
      },
      close: () => {
        this.#nodeIsDone = true;
      },
    };
    daemon.sessions.register(node.peer, node.register()).then(
      (answer) => {
        if (this.#broken || this.#nodeIsDone || node.life.dead) return;
        registered = answer;
        handlers.registered(answer);
      },
      (error: unknown) => this.#refuse(toAppError(error)),
    );
  }

  /** Whether nothing can come over it any more, and both sides know. */
  get isOver(): boolean {
    return this.#phase === 'over' && (this.#broken || this.#nodeIsDone);
  }

  /** Breaks the connection; each side learns of it now or finds out by itself. */
  cut(daemonKnows: boolean, nodeKnows: boolean): void {
    if (!this.#broken) {
      this.#broken = true;
      this.#up.length = 0;
      this.#down.length = 0;
    }
    if (daemonKnows) this.#daemonLearns('The connection is gone');
    if (nodeKnows) this.#nodeLearns(undefined);
  }

  /** The node takes it for dead, and it is not: what the node had said is still on its way, and may come after what the next one brings. */
  forsake(): void {
    this.#nodeLearns(undefined);
  }

  /** What the node said next, on its way to the daemon. */
  get nextUp(): NodeFrame | undefined {
    return this.#broken ? undefined : this.#up[0]?.frame;
  }

  /** What the daemon said next, on its way to the node. */
  get nextDown(): DaemonFrame | undefined {
    return this.#broken ? undefined : this.#down[0]?.frame;
  }

  /** Hands the next frame to the daemon, `copies` times; 0 loses it. Returns whether there was one. */
  deliverUp(copies = 1): boolean {
    const sent = this.#broken ? undefined : this.#up.shift();
    if (!sent) {
      // A node that closed its side is heard to the end.
      if (this.#nodeIsDone && !this.#broken) this.#daemonLearns('The node ended the stream');
      return false;
    }
    sent.written();
    this.#lastUp = sent.frame;
    for (let copy = 0; copy < copies; copy++) this.#take(sent.frame);
    return true;
  }

  /** Hands the next frame to the node, `copies` times; 0 loses it. Returns whether there was one. */
  deliverDown(copies = 1): boolean {
    const sent = this.#broken ? undefined : this.#down.shift();
    if (sent) {
      sent.written();
      this.#lastDown = sent.frame;
      for (let copy = 0; copy < copies; copy++) this.#hear(sent.frame);
      return true;
    }
    if (this.#endOfDown && !this.#broken) {
      const { error } = this.#endOfDown;
      this.#endOfDown = undefined;
      this.#nodeLearns(error);
      return true;
    }
    return false;
  }

  /** Delivers what came last in each direction once more, if it is one that may come twice. */
  repeat(mayComeTwice: (frame: NodeFrame | DaemonFrame) => boolean): void {
    if (this.#broken) return;
    if (this.#lastUp && mayComeTwice(this.#lastUp)) this.#take(this.#lastUp);
    if (this.#lastDown && mayComeTwice(this.#lastDown)) this.#hear(this.#lastDown);
  }

  #hear(frame: DaemonFrame): void {
    if (!this.#nodeIsDone && !this.#node.life.dead) this.#handlers.frame(frame);
  }

  #take(frame: NodeFrame): void {
    if (this.#phase === 'open') this.#toSession(frame);
    else if (this.#phase === 'opening') this.#early.push(frame);
    else if (this.#phase === 'hello' && frame.hello) this.#open(frame.hello);
  }

  #open(hello: Hello): void {
    const { sessions, kernel, life } = this.#daemon;
    this.#phase = 'opening';
    this.#epoch = hello.epoch;
    const end = (): void => {
      if (this.#phase === 'over') return;
      this.#phase = 'over';
      this.#downBatch.close(() => {
        this.#endOfDown = { error: undefined };
      });
    };
    sessions.open(this.#node.peer, hello, { batch: this.#downBatch, end }).then(
      () => {
        if (life.dead) return;
        if (this.#phase === 'over') {
          this.#tellEnd('The stream ended while it opened');
          return;
        }
        this.#phase = 'open';
        kernel.directory.watch(sessionAddress(this.#node.peer.deviceId), end);
        for (const frame of this.#early.splice(0)) this.#toSession(frame);
      },
      (error: unknown) => this.#refuse(toAppError(error)),
    );
  }

  #refuse(error: AppError): void {
    if (this.#broken) return;
    this.#phase = 'over';
    this.#endOfDown = { error };
  }

  #toSession(frame: NodeFrame): void {
    if (this.#daemon.life.dead) return;
    sendToSession(this.#daemon.kernel.directory, this.#node.peer.deviceId, { type: 'frame', frame });
  }

  #tellEnd(reason: string): void {
    const { directory } = this.#daemon.kernel;
    sendToSession(directory, this.#node.peer.deviceId, { type: 'link.ended', epoch: this.#epoch, reason });
  }

  #daemonLearns(reason: string): void {
    const wasOpen = this.#phase === 'open';
    this.#phase = 'over';
    if (wasOpen && !this.#daemon.life.dead) this.#tellEnd(reason);
  }

  #nodeLearns(error: AppError | undefined): void {
    if (this.#nodeIsDone || this.#node.life.dead) return;
    this.#nodeIsDone = true;
    this.#handlers.ended(error ?? sessionError('stale_epoch', 'The stream ended'));
  }
}
