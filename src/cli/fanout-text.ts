import type { Fanout, FanoutMember, FanoutPlan, FanoutTarget } from '../contract/fanout.js';
import type { CliContext } from './context.js';
import { colours } from './output.js';
import { printable, printableJson } from './printable.js';
import { tableText } from './table.js';
import { durationText } from './time-text.js';

/** What each verdict means, for someone who does not know the words. */
const verdicts = {
  run: 'to run',
  ask: 'to run when the person there allows it',
  queue: 'to be queued until the node is back',
  skip: 'skipped (offline)',
  refuse: 'refused',
} as const satisfies Readonly<Record<FanoutTarget['verdict'], string>>;

/** What each end means that is not a word of dispatches. */
const meanings = new Map<string, string>([
  ['skipped', 'its node was offline'],
  ['refused', 'nothing was started'],
  ['not_started', 'it was not its turn yet'],
  ['outcome_unknown', 'it may or may not have been done'],
  ['expired', 'it was never delivered'],
]);

/** How much of an output stands in the line of a result, characters. */
const longestOutput = 200;
/** How many nodes are named in one line of the summary. */
const mostNames = 5;

/** The targets of a plan as a table. */
export function planText(context: CliContext, { targets }: FanoutPlan): string {
  return tableText<FanoutTarget>(
    context,
    [
      { head: 'NODE', text: ({ name }) => name, elastic: true },
      {
        head: 'PRESENCE',
        text: ({ presence }) => presence,
        colour: ({ presence }) => (presence === 'online' ? 'green' : 'yellow'),
      },
      {
        head: 'WHAT WOULD HAPPEN',
        text: ({ verdict, error }) =>
          verdict === 'refuse' && error !== undefined
            ? `${verdicts.refuse}: ${error.message}`
            : verdicts[verdict],
        elastic: true,
        colour: ({ verdict }) => (verdict === 'refuse' ? 'red' : verdict === 'skip' ? 'yellow' : undefined),
      },
    ],
    targets,
  );
}

/** What a plan comes to, in one line: `4 nodes: 3 to run, 1 skipped (offline)`. */
export function planSum({ targets, matched }: FanoutPlan): string {
  const parts = (Object.keys(verdicts) as FanoutTarget['verdict'][]).flatMap((verdict) => {
    const count = targets.filter((target) => target.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdicts[verdict]}`];
  });
  const of = matched === targets.length ? '' : ` of ${matched}`;
  return `${targets.length}${of} ${matched === 1 ? 'node' : 'nodes'}: ${parts.join(', ')}`;
}

/** How one target ended, in one line. @param output what its capability returned */
export function memberText(context: CliContext, member: FanoutMember, output?: unknown): string {
  const paint = colours(context.stdout, context.env);
  const { state, reason, error, durationMs } = member;
  const took = durationMs === undefined ? '' : ` in ${durationText(durationMs)}`;
  const why = [meanings.get(state), reason, error?.message].filter((text) => text !== undefined);
  const told = why.length === 0 ? '' : `, ${why.map(printable).join(': ')}`;
  const returned = output === undefined ? '' : `  ${paint.dim(shortJson(output))}`;
  const mark = state === 'succeeded' ? '✓' : isHarmless(state) ? '-' : '✗';
  const text = `${mark} ${printable(member.name)}  ${state}`;
  return `${paint[colourOf(state)](text)}${took}${told}${returned}`;
}

/** What became of all targets: a table by outcome, and a line. */
export function summaryText(context: CliContext, fanout: Fanout): readonly string[] {
  const paint = colours(context.stdout, context.env);
  const groups = new Map<string, FanoutMember[]>();
  for (const member of fanout.members) {
    const outcome = outcomeOf(member);
    const group = groups.get(outcome);
    if (group) group.push(member);
    else groups.set(outcome, [member]);
  }
  const rows = [...groups].map(([outcome, members]) => ({ outcome, members }));
  const table = tableText(
    context,
    [
      {
        head: 'OUTCOME',
        text: ({ outcome }) => outcome,
        elastic: true,
        colour: ({ members: [member] }) => member && colourOf(member.state),
      },
      { head: 'COUNT', text: ({ members }) => String(members.length) },
      { head: 'TOOK', text: ({ members }) => tookText(members) },
      { head: 'NODES', text: ({ members }) => namesText(members), elastic: true },
    ],
    rows,
  );
  const { finishedAt, createdAt, state, counts } = fanout;
  const took =
    finishedAt === undefined ? '' : ` in ${durationText(Date.parse(finishedAt) - Date.parse(createdAt))}`;
  const all = fanout.members.length;
  const colour = state === 'succeeded' ? paint.green : paint.red;
  const mark = state === 'succeeded' ? '✓' : '✗';
  const line = `${colour(`${mark} ${state}`)}: ${counts.succeeded ?? 0} of ${all} succeeded${took}`;
  return [table, '', `${line}  ${paint.dim(printable(fanout.id))}`];
}

function outcomeOf({ state, error, reason }: FanoutMember): string {
  const why = error?.code ?? reason;
  return why === undefined ? state : `${state} (${why})`;
}

function tookText(members: readonly FanoutMember[]): string {
  const times = members.flatMap(({ durationMs }) => (durationMs === undefined ? [] : [durationMs]));
  if (times.length === 0) return '';
  const sorted = times.sort((a, b) => a - b);
  const [least = 0] = sorted;
  const most = sorted.at(-1) ?? 0;
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  if (times.length === 1) return durationText(least);
  return `${durationText(least)} to ${durationText(most)}, half within ${durationText(median)}`;
}

function namesText(members: readonly FanoutMember[]): string {
  const names = members.slice(0, mostNames).map(({ name }) => name);
  const more = members.length - names.length;
  return more === 0 ? names.join(', ') : `${names.join(', ')} and ${more} more`;
}

function shortJson(value: unknown): string {
  const text = printableJson(value);
  return text.length <= longestOutput ? text : `${[...text].slice(0, longestOutput).join('')}…`;
}

function isHarmless(state: FanoutMember['state']): boolean {
  return state === 'skipped' || state === 'not_started';
}

function colourOf(state: FanoutMember['state']): 'green' | 'yellow' | 'red' {
  if (state === 'succeeded') return 'green';
  return state === 'failed' || state === 'rejected' || state === 'refused' ? 'red' : 'yellow';
}
