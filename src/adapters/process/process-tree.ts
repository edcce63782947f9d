import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ProcessTree } from '../../actors/plugin-process/link.js';
import { type Clock, systemClock } from '../../kernel/clock.js';
import { isRunning } from '../os/process-identity.js';

/** The variable in the environment of a plugin's process that holds its marker. */
export const markerVariable = 'PALYRA_PLUGIN_PROCESS';

export interface EndTreeOptions {
  readonly clock?: Clock;
  /** How long processes have between SIGTERM and SIGKILL, milliseconds. Default: 500. */
  readonly termMs?: number;
}

const run = promisify(execFile);
const pollMs = 20;
/** How long processes that were killed are waited for. What stays longer hangs in the kernel. */
const killMs = 1_000;

/**
 * Ends everything that is left of the process of a plugin and of what it has started: SIGTERM, then SIGKILL to who does not
 * listen. On Linux that is its process group and whoever carries its marker in the environment, also outside the group;
 * elsewhere its group.
 *
 * @param isOurs whether the group is certainly still its own: its leader has just ended. If not, that has to be seen first,
 *   because the id may be another's by now.
 * @returns how many processes were left
 */
export async function endTree(
  tree: ProcessTree,
  isOurs: boolean,
  options: EndTreeOptions = {},
): Promise<number> {
  const clock = options.clock ?? systemClock;
  const first = await membersOf(tree, isOurs);
  let left = first;
  for (const [signal, ms] of [
    ['SIGTERM', options.termMs ?? 500],
    ['SIGKILL', killMs],
  ] as const) {
    const until = clock.monotonic() + ms;
    for (const pid of left) sendSignal(pid, signal);
    while (left.length > 0 && clock.monotonic() < until) {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, pollMs));
      // Who was seen to be one of them stays one: the group can't have become another's meanwhile.
      left = await membersOf(tree, true);
      if (signal === 'SIGKILL') for (const pid of left) sendSignal(pid, signal);
    }
    if (left.length === 0) break;
  }
  return first.length;
}

/** Sends a signal to a process that may have ended meanwhile. A negative id is a group. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

async function membersOf(tree: ProcessTree, isOurs: boolean): Promise<readonly number[]> {
  if (process.platform === 'linux') return membersOnLinux(tree, isOurs);
  return isOurs || isRunning(tree) ? membersFromPs(tree) : [];
}

async function membersOnLinux(tree: ProcessTree, isOurs: boolean): Promise<readonly number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((name) => /^\d+$/.test(name)).map(Number);
  const marker = `${markerVariable}=${tree.marker}`;
  const marked: number[] = [];
  const grouped: number[] = [];
  let groupIsOurs = isOurs || isRunning(tree);
  for (const pid of pids) {
    const group = await groupOf(pid);
    if (group === undefined) continue;
    const isInGroup = group === tree.pid;
    if (await carries(pid, marker)) {
      marked.push(pid);
      if (isInGroup) groupIsOurs = true;
    } else if (isInGroup) {
      grouped.push(pid);
    }
  }
  return groupIsOurs ? [...marked, ...grouped] : marked;
}

/** The process group of a process; undefined when it has ended. */
async function groupOf(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state = 'Z', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : Number(group);
  } catch {
    return undefined;
  }
}

/** Only processes of the same user can be asked. */
async function carries(pid: number, marker: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0').includes(marker);
  } catch {
    return false;
  }
}

async function membersFromPs({ pid }: ProcessTree): Promise<readonly number[]> {
  try {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,pgid=,stat=']);
    return stdout
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, group, state]) => Number(group) === pid && !state?.startsWith('Z'))
      .map(([member]) => Number(member));
  } catch {
    return [];
  }
}
