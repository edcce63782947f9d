import { damaged } from './backup-errors.js';

/** Bytes that are asked for in order, from a source that gives them in pieces of any size. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #pieces: Buffer[] = [];
  #buffered = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to `length` bytes: fewer only when the source has ended. */
  async upTo(length: number): Promise<Buffer> {
    await this.#fill(length);
    const all = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
    const rest = all.subarray(length);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#buffered = rest.length;
    return all.subarray(0, length);
  }

  /** The next bytes, which stay. Fewer only when the source has ended. */
  async peek(length: number): Promise<Buffer> {
    await this.#fill(length);
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all.subarray(0, length);
  }

  /** @throws AppError `backup.damaged` when the source has ended before. */
  async exactly(length: number): Promise<Buffer> {
    const bytes = await this.upTo(length);
    if (bytes.length < length) throw damaged('it ends in the middle');
    return bytes;
  }

  /** Whether nothing is left. */
  async atEnd(): Promise<boolean> {
    await this.#fill(1);
    return this.#buffered === 0;
  }

  async #fill(length: number): Promise<void> {
    while (this.#buffered < length && !this.#ended) {
      const next = await this.#source.next();
      if (next.done) {
        this.#ended = true;
      } else {
        this.#pieces.push(Buffer.from(next.value));
        this.#buffered += next.value.length;
      }
    }
  }
}
