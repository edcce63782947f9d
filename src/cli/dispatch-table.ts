import { shortDeviceId } from '../actors/identity/device-id.js';
import type { DispatchSummary } from '../contract/dispatch.js';
import type { DispatchState } from '../contract/dispatch-states.js';
import type { CliContext } from './context.js';
import { tableText } from './table.js';
import { durationText, relativeTime } from './time-text.js';

const stateColours: Readonly<Record<DispatchState, 'green' | 'yellow' | 'red' | 'dim' | undefined>> = {
  queued: 'dim',
  dispatched: undefined,
  awaiting_local_mediation: 'yellow',
  running: undefined,
  succeeded: 'green',
  failed: 'red',
  rejected: 'red',
  timed_out: 'yellow',
  cancelled: 'yellow',
  expired: 'yellow',
  outcome_unknown: 'yellow',
};

/** Dispatches, a line each. */
export function dispatchTable(context: CliContext, dispatches: readonly DispatchSummary[]): string {
  const now = context.clock.now();
  return tableText<DispatchSummary>(
    context,
    [
      { head: 'ID', text: ({ id }) => id },
      { head: 'CREATED', text: ({ createdAt }) => relativeTime(createdAt, now) },
      { head: 'NODE', text: nodeText, elastic: true },
      { head: 'CAPABILITY', text: ({ capability }) => capability, elastic: true },
      {
        head: 'STATE',
        text: stateText,
        colour: ({ state }) => stateColours[state],
        elastic: true,
      },
      { head: 'BY', text: ({ caller }) => caller.replace(/^operator:/, ''), elastic: true },
    ],
    dispatches,
  );
}

/** The name of its node, or the beginning of the id where nothing else is left. */
export function nodeText({ nodeName, deviceId }: Pick<DispatchSummary, 'nodeName' | 'deviceId'>): string {
  return nodeName ?? shortDeviceId(deviceId);
}

function stateText({ state, outcome, resolution }: DispatchSummary): string {
  if (resolution !== undefined) return `${state}, later ${resolution.state}`;
  const took = outcome?.durationMs === undefined ? '' : ` in ${durationText(outcome.durationMs)}`;
  const reason = state === 'rejected' && outcome?.reason !== undefined ? `: ${outcome.reason}` : '';
  return `${state}${reason}${took}`;
}
