import { type Command, Option } from 'commander';
import type { ControlPlaneClient } from '../client/control-plane-client.js';
import { trustStates } from '../contract/device-states.js';
import type { DispatchSummary } from '../contract/dispatch.js';
import type { DispatchState } from '../contract/dispatch-states.js';
import type { RouteQuery } from '../contract/route-schemas.js';
import type { CliContext } from './context.js';
import { findDevice } from './find-device.js';
import { addLabel } from './labels.js';
import { timeInput } from './time-input.js';

/** The most that one call gives. */
const pageSize = 500;

export interface DispatchFilterFlags {
  readonly state?: readonly DispatchState[];
  readonly node?: string;
  readonly capability?: string;
  readonly caller?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly since?: string;
  readonly until?: string;
}

/** Adds the options that say which dispatches are meant. */
export function withDispatchFilter(command: Command, states: readonly DispatchState[]): Command {
  return command
    .addOption(new Option('--state <states...>', 'only in these states').choices(states))
    .option('--node <node>', 'only on that machine: its name, its id, or the beginning of its id')
    .option('--capability <name>', 'only of that capability')
    .option('--caller <caller>', 'only asked for by that caller, as operator:local')
    .option(
      '--label <name=value>',
      'only with that label; may be repeated',
      (text, before: Record<string, string>) => addLabel(text, before ?? {}),
    )
    .option('--since <time>', 'only created since then: 2h, 7d, 2026-01-31, 2026-01-31T08:00:00Z')
    .option('--until <time>', 'only created before then');
}

/** Whether anything says which dispatches are meant. */
export function hasFilter(flags: DispatchFilterFlags): boolean {
  const { state, node, capability, caller, label, since, until } = flags;
  return [state, node, capability, caller, label, since, until].some((given) => given !== undefined);
}

export interface FoundDispatches {
  readonly dispatches: readonly DispatchSummary[];
  /** Where the rest begins. */
  readonly next?: string;
}

/**
 * The dispatches that a person means, the latest first, at most so many.
 *
 * @throws AppError of {@link findDevice} and {@link timeInput}
 */
export async function findDispatches(
  client: ControlPlaneClient,
  flags: DispatchFilterFlags,
  context: CliContext,
  { limit, from }: { readonly limit: number; readonly from?: string },
): Promise<FoundDispatches> {
  const query = await queryOf(client, flags, context);
  const found: DispatchSummary[] = [];
  let cursor = from;
  do {
    const page = await client.listDispatches({
      ...query,
      limit: Math.min(pageSize, limit - found.length),
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.dispatches);
    cursor = page.next;
  } while (cursor !== undefined && found.length < limit);
  return { dispatches: found, ...(cursor === undefined ? {} : { next: cursor }) };
}

async function queryOf(
  client: ControlPlaneClient,
  { state, node, capability, caller, label, since, until }: DispatchFilterFlags,
  { clock }: CliContext,
): Promise<RouteQuery<'listDispatches'>> {
  const now = clock.now();
  return {
    ...(state === undefined ? {} : { state: [...state] }),
    ...(node === undefined ? {} : { deviceId: (await findDevice(client, node, trustStates)).deviceId }),
    ...(capability === undefined ? {} : { capability }),
    ...(caller === undefined ? {} : { caller }),
    ...(label === undefined
      ? {}
      : { label: Object.entries(label).map(([name, value]) => `${name}=${value}`) }),
    ...(since === undefined ? {} : { since: timeInput(since, '--since', now) }),
    ...(until === undefined ? {} : { until: timeInput(until, '--until', now) }),
  };
}
