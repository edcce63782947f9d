import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Whose file it is: what it is called, and the variable that names it. */
const kinds = {
  daemon: { file: 'palyra.yaml', variable: 'PALYRA_CONFIG' },
  node: { file: 'palyra-node.yaml', variable: 'PALYRA_NODE_CONFIG' },
} as const;

/**
 * Finds the config file of the daemon or of a node host: the one that was named, else the one of `$PALYRA_CONFIG` (or
 * `$PALYRA_NODE_CONFIG`), else `$XDG_CONFIG_HOME/palyra/palyra.yaml` (`palyra-node.yaml`; by default under `~/.config`) if it exists.
 * Undefined when there is none, and then the defaults hold.
 */
export function findConfigFile(
  named: string | undefined,
  env: NodeJS.ProcessEnv,
  kind: keyof typeof kinds = 'daemon',
): string | undefined {
  const { variable } = kinds[kind];
  const explicit = named ?? (env[variable] || undefined);
  if (explicit !== undefined) return explicit;
  const path = defaultConfigFile(env, kind);
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** Where the config file is looked for when nobody names one; undefined without a home. */
export function defaultConfigFile(env: NodeJS.ProcessEnv, kind: keyof typeof kinds): string | undefined {
  const xdg = env.XDG_CONFIG_HOME;
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : env.HOME && join(env.HOME, '.config');
  return base ? join(base, 'palyra', kinds[kind].file) : undefined;
}
