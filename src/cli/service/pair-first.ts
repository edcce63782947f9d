import { systemOpener } from '../../adapters/os/opener.js';
import { privateDirectory } from '../../adapters/os/private-directory.js';
import { takePassphrase } from '../../adapters/secrets/passphrase.js';
import { jsonLog } from '../../adapters/telemetry/log.js';
import { readMembershipIn } from '../../node/identity-store.js';
import { absentMediator } from '../../node/mediation.js';
import { readNodeConfig } from '../../node/node-config.js';
import { startNodeHost } from '../../node/node-host.js';
import type { NodeReport } from '../../node/reporter.js';
import { cliError } from '../cli-errors.js';
import type { CliContext } from '../context.js';
import { readInvitation } from '../node-invitation.js';
import { onSignals, reporterFor } from '../node-terminal.js';

export interface PairFirst {
  readonly stateDirectory: string;
  readonly config: string;
  readonly passphraseFile?: string;
  readonly join: string | undefined;
  readonly pin: string | true | undefined;
  readonly json?: boolean;
}

/** What a person sees of a pairing. That the host connects and ends again is nothing to tell. */
const shown: ReadonlySet<NodeReport['event']> = new Set(['proving', 'pending_approval', 'paired']);

/** Who this machine is, and whether it was paired just now. */
export interface Member {
  readonly deviceId: string;
  readonly name: string;
  readonly isNew: boolean;
}

/**
 * Sees to it that this machine is paired before its service starts, since nobody could answer it then. One that is paired stays who
 * it is, and what it was invited with is not used.
 *
 * @throws AppError what {@link readInvitation} and the pairing throw.
 */
export async function pairFirst(options: PairFirst, context: CliContext): Promise<Member> {
  const files = privateDirectory(options.stateDirectory);
  const known = await readMembershipIn(files);
  if (known) return { deviceId: known.deviceId, name: known.name, isNew: false };
  const invited = await readInvitation({ join: options.join, pin: options.pin }, context);
  const passphrase = await takePassphrase({ file: options.passphraseFile, env: context.env });
  const report = reporterFor(options, context);
  const over = new AbortController();
  const endSignals = onSignals((signal) =>
    over.abort(cliError('interrupted', `Stopped by ${signal} before it was paired`)),
  );
  try {
    const host = await startNodeHost(
      {
        stateDirectory: options.stateDirectory,
        pluginSource: readNodeConfig(options.config, context.env),
        ...(invited === undefined ? {} : { invitation: invited.invitation }),
        services: systemOpener(),
        mediator: absentMediator,
        log: jsonLog('error'),
        ...(passphrase === undefined ? {} : { passphrase }),
        report: (event) => {
          if (shown.has(event.event)) report(event);
        },
        drainMs: 0,
      },
      over.signal,
    );
    await host.stop('Its service takes over');
  } finally {
    endSignals();
  }
  const paired = await readMembershipIn(files);
  return { deviceId: paired?.deviceId ?? '', name: paired?.name ?? '', isNew: true };
}
