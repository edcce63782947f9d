import { readFileSync } from 'node:fs';
import { writePlugin } from '../support/plugin-folder.js';

/** Four capabilities that count: those named `again` may be repeated, those named `once` may not. */
export const countingPlugins = ['again-inline', 'again-process', 'once-inline', 'once-process'] as const;
export const trustedPlugins = ['again-inline', 'once-inline'] as const;
export type Capability = 'again_inline.run' | 'again_process.run' | 'once_inline.run' | 'once_process.run';

/** What a handler is given. */
export interface CountingInput {
  /** Names the work in the file of counts. */
  readonly token: string;
  /** How long it takes, milliseconds. */
  readonly ms: number;
  /** Whether it stops when it is told to. */
  readonly heeds: boolean;
}

/** Opened to append and to be on disk before a write returns: a plugin in a process of its own may not call fsync. */
const onLoad = `import { closeSync, openSync, writeSync } from 'node:fs';
const line = (path, text) => {
  const file = openSync(path, 'as');
  writeSync(file, text);
  closeSync(file);
};`;

const handler = (counts: string): string => `
  line(${JSON.stringify(counts)}, 'start ' + input.token + '\\n');
  if (input.ms > 0) await new Promise((ok, no) => {
    const timer = setTimeout(ok, input.ms);
    if (input.heeds) signal.addEventListener('abort', () => { clearTimeout(timer); no(new Error('It was told to stop')); });
  });
  line(${JSON.stringify(counts)}, 'end ' + input.token + '\\n');
  return { token: input.token };`;

/** Writes the plugins below `root`. Every start and every end of a handler is a line in `counts`, on disk before it goes on. */
export function writeCountingPlugins(root: string, counts: string): void {
  for (const name of countingPlugins) {
    const isolation = name.endsWith('inline') ? 'inline' : 'process';
    writePlugin(root, {
      name,
      onLoad,
      handler: handler(counts),
      manifest: {
        isolation,
        ...(isolation === 'process' ? { permissions: { fileSystem: { read: ['/'], write: ['/'] } } } : {}),
      },
      // In their own process, work also waits for its turn.
      capability: {
        idempotent: name.startsWith('again'),
        concurrency: isolation === 'inline' ? 64 : 3,
        timeout: '15s',
      },
    });
  }
}

/** How often the handlers were started and came to their end, by token. */
export interface Counts {
  readonly starts: ReadonlyMap<string, number>;
  readonly ends: ReadonlyMap<string, number>;
}

/** @throws Error for a line that no handler writes. */
export function readCounts(path: string): Counts {
  const counts = { start: new Map<string, number>(), end: new Map<string, number>() };
  for (const line of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const [what = '', token = ''] = line.split(' ');
    const counted = what === 'start' || what === 'end' ? counts[what] : undefined;
    if (counted === undefined || token === '') throw new Error(`The file of counts has the line '${line}'`);
    counted.set(token, (counted.get(token) ?? 0) + 1);
  }
  return { starts: counts.start, ends: counts.end };
}
