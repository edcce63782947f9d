import { readFileSync, statSync } from 'node:fs';
import { configError } from './config-error.js';

const largest = 262_144;

/** The text of a config file and what to call it in messages. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Reads a config file, UTF-8, at most 256 KiB.
 *
 * @throws AppError `config.unreadable` when it is absent, unreadable, too large or not text.
 */
export function readConfigFile(path: string): ConfigFile {
  try {
    const { size } = statSync(path);
    if (size > largest) throw new Error(`it has ${size} bytes, more than ${largest}`);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
    return { path, text };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw configError('unreadable', `Config file ${path} can't be read: ${reason}`, {
      hint: 'Check the path given by --config, PALYRA_CONFIG or PALYRA_NODE_CONFIG',
      details: { path },
      cause,
    });
  }
}
