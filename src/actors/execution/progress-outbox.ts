import type { FrameBatch } from '../link/batch.js';
import type { NodeFrame, NodeProgress } from '../link/frames.js';
import { ProgressBuffers } from '../link/progress-buffers.js';

/** What waits for the line, of one execution and of all. */
const ofOne = { count: 64, bytes: 256 * 1024 };
const ofAll = { count: 1024, bytes: 1024 * 1024 };
/** The most bytes of progress that go into the line between two writes, so that nothing else waits long behind it. */
const turnBytes = 128 * 1024;

/**
 * Progress on its way out of the node host. It goes into the line only when the write before is done, and little at a time, so
 * that results, heartbeats and the rest never wait behind a handler that floods. What the line does not take is kept within
 * bounds and lost from its oldest on; so is what waits while there is no session. None of it is ever written to disk.
 */
export class ProgressOutbox {
  readonly #waiting = new ProgressBuffers(ofOne, ofAll);
  #out: FrameBatch<NodeFrame> | undefined;
  #isAsked = false;

  attach(out: FrameBatch<NodeFrame>): void {
    this.#out = out;
    this.#isAsked = false;
    this.#ask();
  }

  detach(): void {
    this.#out = undefined;
  }

  add(progress: NodeProgress): void {
    this.#waiting.add(progress);
    this.#ask();
  }

  /** The execution has ended: what is left of its progress goes ahead of its result, or nowhere when the line is slow. */
  end(dispatchId: string): void {
    const left = this.#waiting.take(dispatchId);
    if (this.#out === undefined || this.#out.waitingBytes > ofAll.bytes) return;
    for (const progress of left) this.#out.push('progress', progress);
  }

  #ask(): void {
    const out = this.#out;
    if (out === undefined || this.#isAsked || this.#waiting.count === 0) return;
    this.#isAsked = true;
    out.beforeNextWrite(() => {
      // Another session may have begun meanwhile.
      if (out !== this.#out) return;
      this.#isAsked = false;
      this.#send(out);
    });
  }

  #send(out: FrameBatch<NodeFrame>): void {
    for (let bytes = 0; bytes < turnBytes; ) {
      const progress = this.#waiting.next();
      if (progress === undefined) return;
      bytes += progress.value.length;
      out.push('progress', progress);
    }
    this.#ask();
  }
}
