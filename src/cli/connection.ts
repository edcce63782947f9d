import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readTokenFile } from '../adapters/http/operator-token.js';
import { defaultStateDirectory } from '../adapters/os/state-directory.js';
import { ControlPlaneClient } from '../client/control-plane-client.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';

/** Where the daemon listens when nothing says otherwise. */
const defaultUrl = 'http://127.0.0.1:7142';

export interface ConnectionFlags {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly stateDir?: string;
  readonly json?: boolean;
}

/** Adds the options that every command has which talks to the daemon. */
export function withConnection(command: Command): Command {
  return command
    .option('--url <url>', 'where palyrad listens (PALYRA_URL)')
    .option('--token-file <file>', 'the file with the token (PALYRA_TOKEN_FILE)')
    .option('--state-dir <dir>', 'the state directory of a palyrad on this machine (PALYRA_STATE_DIR)')
    .option('--json', 'print JSON, also for errors');
}

/**
 * The client of the daemon that is meant: by flag, by variable, else the one on this machine, which leaves its URL and its
 * token in its state directory.
 *
 * @throws AppError `cli.no_token`, `cli.insecure_url`, `client.invalid_url`, and those of the token file
 */
export async function connect(flags: ConnectionFlags, { env }: CliContext): Promise<ControlPlaneClient> {
  const stateDirectory = flags.stateDir ?? defaultStateDirectory('daemon', env);
  // A directory that was named by flag goes before variables, as any flag does.
  const variables = flags.stateDir === undefined ? env : {};
  const baseUrl =
    flags.url ?? given(variables.PALYRA_URL) ?? (await writtenUrl(stateDirectory)) ?? defaultUrl;
  const tokenFile =
    flags.tokenFile ?? given(variables.PALYRA_TOKEN_FILE) ?? join(stateDirectory, 'operator.token');
  refuseInsecure(baseUrl);
  const token = await readTokenFile(tokenFile);
  if (token === undefined) {
    throw cliError('no_token', `There is no token in ${tokenFile}`, {
      hint: 'palyrad writes it when it starts for the first time. Start it, or name its file with --token-file or its directory with --state-dir.',
      details: { tokenFile },
    });
  }
  return new ControlPlaneClient({ baseUrl, token });
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** Where a daemon on this machine says that it listens; it does so because its port may be ephemeral. */
async function writtenUrl(stateDirectory: string): Promise<string | undefined> {
  try {
    return given((await readFile(join(stateDirectory, 'control.url'), 'utf8')).trim());
  } catch {
    return undefined;
  }
}

/** A token must not cross a network in clear. */
function refuseInsecure(baseUrl: string): void {
  if (!URL.canParse(baseUrl)) return;
  const { protocol, hostname } = new URL(baseUrl);
  const local =
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
  if (protocol !== 'http:' || local) return;
  throw cliError('insecure_url', `${baseUrl} would send the token unencrypted to another machine`, {
    hint: 'Use https, or forward a local port to that machine.',
    fields: [{ field: 'url', message: 'is neither https nor on this machine' }],
  });
}
