import type pc from 'picocolors';
import { formatDeviceId } from '../actors/identity/device-id.js';
import { formatDuration } from '../kernel/duration.js';
import type { ErrorEnvelope } from '../kernel/errors.js';
import type { NodeReport } from '../node/reporter.js';

type Colors = ReturnType<typeof pc.createColors>;

type Plain = (text: string) => string;

/** How an error is told: with its hint the first time, without it while the same goes on. */
type Reason = (error: ErrorEnvelope | undefined) => string;

function reasons(colors: Colors, plain: Plain): Reason {
  let told: string | undefined;
  return (error) => {
    const isNew = error?.hint !== told;
    told = error?.hint;
    if (!error) return '';
    return `: ${plain(error.message)}${error.hint === undefined || !isNew ? '' : `\n  ${colors.dim(plain(error.hint))}`}`;
  };
}

function wait(ms: number): string {
  return formatDuration(ms < 1_000 ? Math.round(ms) : Math.round(ms / 1_000) * 1_000);
}

/**
 * Tells what a node host reports, as a person wants to read it.
 *
 * @param plain takes escape sequences out of what came from a peer.
 */
export function narrator(colors: Colors, plain: Plain): (report: NodeReport) => string {
  const reason = reasons(colors, plain);
  return (report) => {
    if (report.event === 'connected') reason(undefined);
    return narrate(report, colors, plain, reason);
  };
}

/** What the daemon may run, and what not. */
function mayRun(capabilities: readonly { capability: string; status: string }[], plain: Plain): string {
  const open = capabilities.filter((one) => one.status === 'accepted').map((one) => one.capability);
  const closed = capabilities.filter((one) => one.status !== 'accepted');
  const shut = closed
    .map((one) => `${plain(one.capability)} (${plain(one.status).replace('_', ' ')})`)
    .join(', ');
  return [
    `The daemon may run ${open.length === 0 ? 'nothing' : plain(open.join(', '))}.`,
    ...(shut === '' ? [] : [`  Not: ${shut}`]),
  ].join('\n');
}

function narrate(report: NodeReport, colors: Colors, plain: Plain, reason: Reason): string {
  switch (report.event) {
    case 'plugins': {
      const offered = `Offers ${report.capabilities.length === 0 ? 'nothing' : report.capabilities.join(', ')}`;
      const problems = report.quarantined.map(
        ({ plugin, file, message, hint }) =>
          `${colors.yellow(`Left out plugin ${plain(plugin)}`)} (${file}): ${plain(message)}${hint === undefined ? '' : `\n  ${colors.dim(plain(hint))}`}`,
      );
      return [offered, ...problems].join('\n');
    }
    case 'plugin_disabled':
      return `${colors.red(`Plugin ${plain(report.plugin)} runs no more`)}${reason(report.error)}`;
    case 'proving':
      return `Asking ${report.address} to join as ${formatDeviceId(report.deviceId)}`;
    case 'pending_approval':
      return [
        `Waiting for the operator to approve pairing ${report.pairingId}.`,
        `  The operator must see the same words: ${colors.bold(colors.cyan(report.fingerprintWords.join(' ')))}`,
      ].join('\n');
    case 'paired':
      return colors.green(`Paired as ${plain(report.name)}.`);
    case 'connecting':
      return colors.dim(
        `Connecting to ${report.address}${report.attempt > 1 ? ` (attempt ${report.attempt})` : ''}`,
      );
    case 'connected':
      return `${colors.green('Connected')} as ${plain(report.name)}, session ${report.epoch}. ${mayRun(report.capabilities, plain)}`;
    case 'surface':
      return `The operator has changed what may run here. ${mayRun(report.capabilities, plain)}`;
    case 'reload_refused':
      return `${colors.red('The new configuration is not taken over; the old one stays')}${reason(report.error)}`;
    case 'disconnected':
      return `${colors.yellow('Disconnected')}${reason(report.error)}\n  Trying again in ${wait(report.retryInMs)}.`;
    case 'refused':
      return `${colors.red('The daemon refuses this node')}${reason(report.error)}\n  Asking again in ${wait(report.retryInMs)}, or when this is started again; nothing is deleted.`;
    case 'renewing':
      return colors.dim(`Renewing the certificate${report.reason === '' ? '' : `: ${plain(report.reason)}`}`);
    case 'renewed':
      return `Renewed the certificate; it is good until ${report.certificateEndsAt}.`;
    case 'certificate_ended':
      return `${colors.yellow('The certificate of this node is not good any more')}${reason(report.error)}`;
    case 'returning':
      return colors.dim('Asking the daemon to let this node come back, with the key that it has always had');
    case 'hand_over_failed':
      return `${colors.yellow('The next line to the daemon did not come about; the one that there is stays')}${reason(report.error)}`;
    case 'certificate_waits':
      return `${colors.yellow('The new certificate does not work yet; the old one stays in use')}${reason(report.error)}`;
    case 'retrying':
      return `${colors.yellow(`Still ${report.what}`)}${reason(report.error)}\n  Trying again in ${wait(report.retryInMs)}.`;
    case 'mediation':
      return `${plain(report.caller)} asks to run ${plain(report.capability)} with ${plain(JSON.stringify(report.input))}`;
    case 'mediation_withdrawn':
      return colors.dim(`The question about ${report.dispatchId} has been taken back.`);
    case 'answer_refused':
      return `${colors.yellow('Not an answer')}: ${plain(report.message)}`;
    case 'decided':
      return decision(report, colors, plain);
    case 'ran':
      return `Ran ${plain(report.capability)}: ${report.outcome === 'succeeded' ? colors.green('succeeded') : colors.yellow(report.outcome)} after ${report.durationMs.toFixed(1)} ms ${colors.dim(report.dispatchId)}${reason(report.error)}`;
    case 'stopped':
      return `Stopped (${report.reason}).`;
  }
}

type Decided = Extract<NodeReport, { event: 'decided' }>;

/** What came of a question to the person here. */
function decision(report: Decided, colors: Colors, plain: Plain): string {
  const what = `${plain(report.capability)} for ${plain(report.caller)}`;
  const { remembered, reason = '' } = report;
  const held =
    remembered === undefined ? '' : `: ${plain(remembered.value)} is allowed until ${remembered.until}`;
  switch (report.decision) {
    case 'allowed':
      return `${colors.green(report.by === 'remembered' ? 'Allowed before' : 'Allowed')}: ${what}${held}`;
    case 'denied':
      return `${colors.yellow('Denied')}: ${what}`;
    case 'nobody':
      return `${colors.yellow('Denied')}: ${what}, because ${plain(reason)}`;
    case 'unanswered':
      return `${colors.yellow('Denied')}: ${what}, because nobody answered in time`;
    case 'withdrawn':
      return colors.dim(`Not needed any more: ${what}`);
  }
}
