import { StringDecoder } from 'node:string_decoder';

/** Cuts what comes over a socket into lines of JSON, none longer than a limit. */
export class JsonLines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #longest: number;
  #rest = '';

  /** @param longest characters of a line */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The lines that a chunk completes. @throws RangeError for one that is too long, SyntaxError for one that is no JSON. */
  take(chunk: Buffer): readonly unknown[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    if ([this.#rest, ...lines].some((line) => line.length > this.#longest)) {
      throw new RangeError(`A line may have at most ${this.#longest} characters`);
    }
    return lines.map((line): unknown => JSON.parse(line));
  }
}
