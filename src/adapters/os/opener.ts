import type { ChildProcess } from 'node:child_process';
import { appendFile } from 'node:fs/promises';
import open from 'open';
import { errorTable } from '../../kernel/errors.js';
import type { HostServices } from '../../plugins/sdk/handler.js';

const openerError = errorTable('opener', {
  url_refused: { category: 'validation', retryable: false },
  failed: { category: 'unavailable', retryable: true },
});

/** The part of the host's services that opens pages. */
export type UrlOpener = Pick<HostServices, 'openUrl'>;

export interface SystemOpenerOptions {
  /** The program to open pages with. Default: what the desktop has chosen. */
  readonly browser?: string;
  /** How long a failing launcher is watched, milliseconds: one that runs on after this has worked. Default: 1500. */
  readonly watchMs?: number;
}

/**
 * Opens pages on this machine's desktop. The URL is one element of an argument array and no shell sees it.
 *
 * @throws AppError from `openUrl`: `opener.url_refused` for what is not a plain http or https URL, `opener.failed` when no
 *   browser could be started
 * @example await systemOpener().openUrl('https://example.com/');
 */
export function systemOpener(options: SystemOpenerOptions = {}): UrlOpener {
  const { browser, watchMs = 1_500 } = options;
  return {
    async openUrl(url) {
      const href = webUrl(url);
      let launcher: ChildProcess;
      try {
        launcher = await open(href, browser === undefined ? {} : { app: { name: browser } });
      } catch (cause) {
        throw failed('no browser could be started', cause);
      }
      const exitCode = await exitWithin(launcher, watchMs);
      if (exitCode !== undefined && exitCode !== 0) throw failed(`the launcher ended with code ${exitCode}`);
    },
  };
}

/**
 * Writes each URL as a line to a file instead of opening it, for tests and the demo. Never a fallback: whoever starts the
 * node chooses it.
 *
 * @throws AppError from `openUrl`: `opener.url_refused`, `opener.failed`
 * @example await recordingOpener('/tmp/opened.txt').openUrl('https://example.com/');
 */
export function recordingOpener(file: string): UrlOpener {
  return {
    async openUrl(url) {
      const href = webUrl(url);
      try {
        await appendFile(file, `${href}\n`, { mode: 0o600 });
      } catch (cause) {
        throw failed(`the record of opened pages could not be written to ${file}`, cause);
      }
    },
  };
}

/** Checked here too, whatever a plugin has checked: this is the last place before another program sees the text. */
function webUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (plain) return url.href;
  throw openerError('url_refused', 'Only http and https URLs without a user name or password are opened');
}

function failed(why: string, cause?: unknown) {
  const hint = 'Check that this session has a desktop and a default browser';
  return openerError('failed', `The page was not opened: ${why}`, { hint, cause });
}

/** The exit code of a launcher that ends in time; undefined when it runs on or was ended by a signal. */
function exitWithin(child: ChildProcess, ms: number): Promise<number | undefined> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(null), ms);
    const done = (code: number | null) => {
      clearTimeout(timer);
      child.off('exit', done);
      resolve(code ?? undefined);
    };
    child.once('exit', done);
  });
}
