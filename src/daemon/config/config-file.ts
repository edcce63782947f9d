import { existsSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { configError } from './config-error.js';

const largest = 262_144;

/** The text of a config file and what to call it in messages. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Finds the config file: the one that was named, else `$PALYRA_CONFIG`, else `$XDG_CONFIG_HOME/palyra/palyra.yaml` (by
 * default under `~/.config`) if it exists. Undefined when there is none, and then the defaults hold.
 */
export function findConfigFile(named: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  const explicit = named ?? (env.PALYRA_CONFIG || undefined);
  if (explicit !== undefined) return explicit;
  const xdg = env.XDG_CONFIG_HOME;
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : env.HOME && join(env.HOME, '.config');
  if (!base) return undefined;
  const path = join(base, 'palyra', 'palyra.yaml');
  return existsSync(path) ? path : undefined;
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
      hint: 'Check the path given by --config or PALYRA_CONFIG',
      details: { path },
      cause,
    });
  }
}
