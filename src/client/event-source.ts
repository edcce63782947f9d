import { clientError } from './client-errors.js';

/** One server-sent event as it came. */
export interface SourceEvent {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
}

/** More than any event of a daemon has, characters. */
const longestEvent = 64 * 1024 * 1024;

/**
 * Takes a stream of server-sent events apart (WHATWG HTML, "Interpreting an event stream"), as palyrad writes them: lines end with a
 * line feed, data is JSON. Comments are skipped; an event that was cut off is not given.
 *
 * @throws AppError `client.bad_response`, and what the stream throws.
 */
export async function* sourceEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SourceEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    // Only from here on can there be a new end of an event.
    let from = Math.max(0, text.length - 1);
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longestEvent) throw notEvents();
    for (let end = text.indexOf('\n\n', from); end >= 0; end = text.indexOf('\n\n')) {
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      from = 0;
      if (event) yield event;
    }
  }
}

function eventOf(block: string): SourceEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name !== '') fields.set(name, value);
  }
  const data = fields.get('data');
  if (data === undefined) return undefined;
  try {
    return { event: fields.get('event') ?? 'message', id: fields.get('id') ?? '', data: JSON.parse(data) };
  } catch {
    throw notEvents();
  }
}

function notEvents() {
  return clientError('bad_response', 'The stream is not one of palyra', {
    hint: 'Another program may listen there, or a proxy changes what passes it.',
  });
}
