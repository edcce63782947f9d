import type { Duplex } from 'node:stream';
import { type FrameKind, frameKinds, frameLimit } from './frames.js';

/** Bytes before each frame's text: its length, then its kind. */
const headSize = 5;

export interface ChannelHandlers {
  frame(kind: FrameKind, text: Buffer): void;
  /** The other side is gone. */
  end(): void;
  /** The other side sent what is no frame; nothing more is read. */
  broken(why: string): void;
}

/**
 * Frames over a stream: four bytes of length (big-endian), one of kind, then that many bytes of JSON text. All that is sent
 * in one turn of the loop is written at once.
 */
export class FrameChannel {
  readonly #stream: Duplex;
  readonly #handlers: ChannelHandlers;
  /** What has come of a frame that is not complete. */
  #parts: Buffer[] = [];
  #held = 0;
  /** How many bytes must be there before there is anything to do. */
  #needed = headSize;
  #corked = false;
  #over = false;

  constructor(stream: Duplex, handlers: ChannelHandlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    // What is broken is also closed.
    stream.on('error', () => undefined);
    stream.on('close', () => this.#end());
    stream.on('end', () => this.#end());
  }

  /** Bytes that wait to be written. */
  get backlog(): number {
    return this.#stream.writableLength;
  }

  /** Sends a frame. To a side that is gone it is lost, which its end says. */
  send(text: string, kind: FrameKind = frameKinds.control): void {
    if (!this.#stream.writable) return;
    const length = Buffer.byteLength(text);
    const frame = Buffer.allocUnsafe(headSize + length);
    frame.writeUInt32BE(length);
    frame[4] = kind;
    frame.write(text, headSize);
    if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#stream.uncork();
      });
    }
    this.#stream.write(frame);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers.end();
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    this.#parts.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return;
    let all = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    let at = 0;
    while (all.length - at >= headSize) {
      const length = all.readUInt32BE(at);
      const kind = all[at + 4] as FrameKind;
      if (length > frameLimit || kind > frameKinds.progress) {
        this.#over = true;
        this.#stream.destroy();
        this.#handlers.broken(
          length > frameLimit ? `a frame of ${length} bytes` : `a frame of the unknown kind ${kind}`,
        );
        return;
      }
      if (all.length - at < headSize + length) {
        this.#needed = headSize + length;
        break;
      }
      this.#needed = headSize;
      const text = all.subarray(at + headSize, at + headSize + length);
      at += headSize + length;
      this.#handlers.frame(kind, text);
      if (this.#over) return;
    }
    all = at === 0 ? all : all.subarray(at);
    this.#parts = all.length === 0 ? [] : [all];
    this.#held = all.length;
  }
}
