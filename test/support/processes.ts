import { readdirSync, readFileSync } from 'node:fs';
import { markerVariable } from '../../src/adapters/process/process-tree.js';

/** Every process of this user that carries the marker of a plugin's process, also where it left the group. Linux only. */
export function pluginProcesses(among: (environment: readonly string[]) => boolean = () => true): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        if ('ZX'.includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? 'Z')) return false;
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
        return environment.some((entry) => entry.startsWith(`${markerVariable}=`)) && among(environment);
      } catch {
        return false;
      }
    });
}

/** Everything that runs in the group of a process. Linux only. */
export function groupOf(leader: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      if (!isAlive(pid)) return false;
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === leader;
      } catch {
        return false;
      }
    });
}

/** Whether a process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !'ZX'.includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? 'Z');
  } catch {
    return false;
  }
}
