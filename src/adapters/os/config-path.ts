import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/**
 * Finds the daemon's config file: the one that was named, else `$PALYRA_CONFIG`, else `$XDG_CONFIG_HOME/palyra/palyra.yaml`
 * (by default under `~/.config`) if it exists. Undefined when there is none, and then the defaults hold.
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
