import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { VerifiedCaller } from '../../kernel/authority.js';
import { toAppError } from '../../kernel/errors.js';
import type { DeviceRecord } from '../device/record.js';
import { type AdmissionOptions, admit } from '../dispatch/admission.js';
import { fanoutError } from '../errors.js';
import { selectNodes } from '../selector/select-nodes.js';
import { presenceOf } from '../session/presence.js';
import type { FanoutTarget, PlanFanout } from './view.js';

/** The most targets of one fan-out. */
export const mostTargets = 1_000;
/** The most bytes that the inputs of all dispatches of one fan-out may have together: each keeps its own. */
export const mostInputBytes = 64 * 1024 * 1024;
/** How many targets are looked at in one turn of the event loop. */
const turnSize = 16;

export interface ChosenTargets {
  /** In the order in which they are started. */
  readonly devices: readonly DeviceRecord[];
  /** How many the selector means, before the limit. */
  readonly matched: number;
  readonly digest: string;
}

/**
 * The targets of a fan-out.
 *
 * @throws AppError as `FanoutControl.plan`.
 */
export function chooseTargets(request: PlanFanout, options: AdmissionOptions): ChosenTargets {
  const { selector, all, limit, expect, queue } = request;
  if ((selector === undefined) === (all !== true)) {
    throw fanoutError('bad_request', 'Either a selector or all nodes are to be named', {
      fields: [{ field: 'selector', message: 'goes without all, and all without it' }],
      hint: 'Give a selector, such as role=edge; for every node --all.',
    });
  }
  const matching = selectNodes(options.devices, selector);
  const devices = matching.slice(0, limit === undefined ? matching.length : countOf(limit, matching.length));
  if (devices.length > mostTargets) {
    throw fanoutError('too_many_targets', `${devices.length} nodes are meant: ${mostTargets} is the most`, {
      hint: 'Narrow the selector, or give a limit.',
    });
  }
  if (expect !== undefined && devices.length !== expect) {
    throw fanoutError(
      'unexpected_count',
      `${devices.length} nodes are meant, not ${expect}: nothing was run`,
      {
        fields: [{ field: 'expect', message: `is not ${devices.length}` }],
        hint: 'Look at them first: the plan of the fan-out (--dry-run) names each.',
      },
    );
  }
  const bytes = devices.length * Buffer.byteLength(JSON.stringify(request.input) ?? 'null');
  if (bytes > mostInputBytes) {
    throw fanoutError(
      'too_large',
      `The inputs of all targets have ${bytes} bytes, more than ${mostInputBytes}`,
      {
        fields: [{ field: 'input', message: 'is too large for so many targets' }],
        hint: 'Send less, or to fewer nodes at a time.',
      },
    );
  }
  const digest = createHash('sha256');
  for (const { id } of [...devices].sort((a, b) => (a.id < b.id ? -1 : 1))) digest.update(`${id}\n`);
  // Those that wait for their nodes come last, since they may keep their places in the batch for long.
  const isAway = ({ id }: DeviceRecord): boolean => presence(id, options) === 'offline';
  const ordered = queue ? [...devices.filter((one) => !isAway(one)), ...devices.filter(isAway)] : devices;
  return { devices: ordered, matched: matching.length, digest: digest.digest('hex') };
}

/** What would become of each target, by the admission of a dispatch. */
export async function judgeTargets(
  caller: VerifiedCaller,
  request: PlanFanout,
  devices: readonly DeviceRecord[],
  options: AdmissionOptions,
): Promise<readonly FanoutTarget[]> {
  const targets: FanoutTarget[] = [];
  for (const [at, device] of devices.entries()) {
    if (at % turnSize === turnSize - 1) await setImmediate();
    targets.push(judge(caller, request, device, options));
  }
  return targets;
}

function judge(
  caller: VerifiedCaller,
  { capability, input, queue, timeoutMs }: PlanFanout,
  { id: deviceId, name }: DeviceRecord,
  options: AdmissionOptions,
): FanoutTarget {
  const target = { deviceId, name, presence: presence(deviceId, options) };
  try {
    const request = {
      node: deviceId,
      capability,
      input,
      ...(queue === undefined ? {} : { queue }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    const { record, goesOut } = admit(caller, request, options);
    if (goesOut === 'return') return { ...target, verdict: 'queue' };
    return { ...target, verdict: record.mediationTimeoutMs > 0 ? 'ask' : 'run' };
  } catch (thrown) {
    const { code, message, hint } = toAppError(thrown);
    const verdict = code === 'dispatch.node_offline' ? 'skip' : 'refuse';
    return { ...target, verdict, error: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}

function presence(deviceId: string, { sessions, clock }: AdmissionOptions): FanoutTarget['presence'] {
  return presenceOf(sessions.present(deviceId), clock.monotonic());
}

/** How many a limit lets through: `10%` is rounded down, and one is the least. @throws AppError `fanout.bad_request` */
function countOf(limit: string, of: number): number {
  const [, digits, percent] = /^([1-9][0-9]{0,5})(%?)$/.exec(limit) ?? [];
  const number = Number(digits);
  if (digits === undefined || (percent === '%' && number > 100)) {
    throw fanoutError('bad_request', `The limit ${limit} is neither a number from 1 up nor 1% to 100%`, {
      fields: [{ field: 'limit', message: 'is no limit' }],
      hint: 'Give a number of nodes, or a part of them such as 10%.',
    });
  }
  return percent === '%' ? Math.max(1, Math.floor((of * number) / 100)) : number;
}
