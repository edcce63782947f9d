import { formatDuration } from '../../kernel/duration.js';
import type { LateResultCounts } from './late-results.js';
import type { DispatchOutcome, DispatchRecord } from './record.js';

/** What the reasons mean that the daemon gives for an end, and those of nodes that are not a sentence already. */
const reasons = new Map([
  ['lost', 'The node came back and did not know of it any more'],
  ['unsettled', 'The node never said what became of it, or had forgotten what it had started'],
  ['crashed', 'The daemon failed over it'],
  ['restored', 'The daemon was restored from a backup that was made before its end'],
  ['revoked', 'Its device was revoked'],
  ['removed', 'Its device was removed'],
  ['banned', 'Its device was banned'],
  ['deadline', 'The time that it had was over'],
  ['mediation_denied', 'It was not allowed at the node'],
  ['mediation_timeout', 'Nobody at the node answered in time'],
  ['node_policy', 'The node does not run it'],
  ['node_validation', 'Its input or output does not fit'],
]);

/** What bears on a dispatch beside its steps, one sentence each, for whoever asks why it is where it is. */
export function dispatchNotes(record: DispatchRecord): readonly string[] {
  const { caller, timeoutMs, retryOf, cancelRequestedBy, finishedAt, repeatable } = record;
  const late = record.steps.filter(({ to }) => to === 'late_result').length;
  return [
    `${caller} asked for it; it may run for ${formatDuration(timeoutMs)}`,
    repeatable ? 'It may be started more than once' : 'It is started once at most',
    ...(retryOf === undefined ? [] : [`It was asked for again from ${retryOf}`]),
    ...(cancelRequestedBy === undefined ? [] : [`${cancelRequestedBy} asked for its end`]),
    ...(finishedAt === undefined ? [] : outcomeNotes(record.outcome)),
    ...(record.resolution === undefined
      ? []
      : [`Later the node said: ${record.resolution.state}`, ...outcomeNotes(record.resolution)]),
    ...(late === 0
      ? []
      : [
          `The node said ${late === 1 ? 'something' : `${late} things`} else after that, which changes nothing`,
        ]),
  ];
}

function outcomeNotes(outcome: DispatchOutcome | undefined): readonly string[] {
  const why = reasons.get(outcome?.reason ?? '');
  return [
    ...(why === undefined ? [] : [why]),
    ...allowedNotes(outcome),
    ...(outcome?.error === undefined ? [] : [outcome.error.message]),
    ...(outcome?.started === false ? ['Its handler was never started'] : []),
  ];
}

function allowedNotes(outcome: DispatchOutcome | undefined): readonly string[] {
  const allowed = outcome?.allowed;
  if (allowed === undefined) return [];
  if (allowed.by === 'remembered') {
    return [`The person at the node had allowed the same before, until ${allowed.until ?? 'some time'}`];
  }
  const also = allowed.until === undefined ? '' : `, and the same until ${allowed.until}`;
  return [`The person at the node allowed it${also}`];
}

/** What a device has sent that no dispatch of it waited for, if it has. */
export function strayNotes({ late, orphaned, foreign }: LateResultCounts): readonly string[] {
  const parts = [
    ...(late === 0 ? [] : [`${late} after the end of a dispatch`]),
    ...(orphaned === 0 ? [] : [`${orphaned} for a dispatch that is not known`]),
    ...(foreign === 0 ? [] : [`${foreign} for a dispatch of another device`]),
  ];
  const [first, ...rest] = parts;
  if (first === undefined) return [];
  const results = first.replace(/^(\d+)/, (count) => (count === '1' ? '1 result' : `${count} results`));
  const last = rest.pop();
  const list = [results, ...rest].join(', ');
  return [`It has sent ${list}${last === undefined ? '' : ` and ${last}`} since the daemon started`];
}

/** What a device has sent as progress that was of no use, if it has. */
export function droppedProgressNotes(dropped: number): readonly string[] {
  if (dropped === 0) return [];
  const values = dropped === 1 ? '1 progress value' : `${dropped} progress values`;
  return [
    `It has sent ${values} out of order, too large, or of nothing that runs there, since the daemon started`,
  ];
}
