import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Surface } from '../contract/surface.js';
import type { SurfaceAction } from '../contract/surface-states.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';
import { colours, print, printJson } from './output.js';
import { printable } from './printable.js';
import { surfaceText } from './surface-text.js';

export interface SurfaceDecisionFlags {
  readonly reason?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const verbs = {
  approve: { question: 'May this be called', done: 'may be called' },
  reject: { question: 'Refuse this version of it', done: 'is refused in this version' },
  revoke: { question: 'Take this off, in every version,', done: 'may not be called any more' },
} as const;

/**
 * Shows what a node offers, asks the person unless they said yes already, and decides it, one after the other. Each decision
 * names the digest and the build that were shown, so it can't fall on what the node offers by then.
 *
 * @throws AppError `cli.confirmation_needed` when there is nobody to ask, and the errors of the daemon
 */
export async function decideSurfaces(
  client: ControlPlaneClient,
  context: CliContext,
  surfaces: readonly Surface[],
  action: SurfaceAction,
  { reason, yes = false, json = false }: SurfaceDecisionFlags,
): Promise<void> {
  if (!yes && surfaces.length > 0 && (json || !context.interactive)) {
    throw cliError('confirmation_needed', `Nobody can be asked whether to ${action} this`, {
      hint: 'Look at it with `palyra surfaces show`, then add --yes.',
    });
  }
  const decided: Surface[] = [];
  const { green } = colours(context.stdout, context.env);
  for (const surface of surfaces) {
    const name = `${printable(surface.capability)} on ${printable(surface.node)}`;
    if (!json) print(context, ...surfaceText(context, surface), '');
    if (!yes && !(await context.confirm(`${verbs[action].question}: ${name}?`))) {
      print(context, 'Nothing was changed.');
      continue;
    }
    const { deviceId, capability, digest, buildDigest } = surface;
    decided.push(
      await client.decideSurface(deviceId, capability, {
        action,
        digest,
        buildDigest,
        ...(reason === undefined ? {} : { reason }),
      }),
    );
    if (!json) print(context, `${green('✓')} ${name} ${verbs[action].done}.`);
  }
  if (json) printJson(context, { surfaces: decided });
  else if (surfaces.length === 0) print(context, 'Nothing waits for that decision.');
}
