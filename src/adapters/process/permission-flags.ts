import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Permissions } from '../../plugins/descriptor.js';
import { type PermissionKind, permissionKinds } from '../../plugins/standing.js';

/** What becomes of the permissions of a plugin that has its own process. */
export interface PermissionPlan {
  /** Arguments for Node. */
  readonly flags: readonly string[];
  /** What it is held to; the rest is only declared. */
  readonly enforced: readonly PermissionKind[];
}

export interface PermissionPlanInput {
  readonly permissions: Permissions;
  /** Files and folders that it always may read: its program, its code. */
  readonly readable: readonly string[];
  /** Where it always may read and write. */
  readonly workFolder: string;
  /** The flags that this Node knows. Default: those of the Node that runs this. */
  readonly known?: ReadonlySet<string>;
}

/**
 * Node's permission model for a plugin (https://nodejs.org/api/permissions.html), as far as this Node has it: files and child
 * processes since Node 20, network since Node 25 (all of it or nothing). What the model does not hold it does not hold
 * against code that is set on it: it keeps plugins to what they state.
 */
export function permissionPlan(input: PermissionPlanInput): PermissionPlan {
  const { permissions, workFolder } = input;
  const known = input.known ?? process.allowedNodeEnvironmentFlags;
  const model = ['--permission', '--experimental-permission'].find((flag) => known.has(flag));
  const read = [...input.readable, workFolder, ...(permissions.fileSystem?.read ?? [])];
  const write = [workFolder, ...(permissions.fileSystem?.write ?? [])];
  // Node splits at commas, so such a path would allow others.
  if (model === undefined || [...read, ...write].some((path) => path.includes(','))) {
    return { flags: [], enforced: ['environment'] };
  }
  const hasNetwork = known.has('--allow-net');
  const wantsNetwork = (permissions.network ?? []).length > 0;
  const flags = [
    model,
    ...read.map((path) => `--allow-fs-read=${everythingBelow(path)}`),
    ...write.map((path) => `--allow-fs-write=${everythingBelow(path)}`),
    ...(permissions.childProcesses === true ? ['--allow-child-process'] : []),
    ...(hasNetwork && wantsNetwork ? ['--allow-net'] : []),
  ];
  const enforced = permissionKinds.filter((kind) => {
    // A program that it may start is not held by the model.
    if (kind === 'fileSystem') return permissions.childProcesses !== true;
    return kind === 'network' ? hasNetwork && !wantsNetwork : true;
  });
  return { flags, enforced };
}

/** The folders of installed packages that code in `folder` may import from. */
export function packageFolders(folder: string): readonly string[] {
  const found: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    const modules = join(at, 'node_modules');
    if (existsSync(modules)) found.push(modules);
    if (dirname(at) === at) return found;
  }
}

/** Node takes a folder and all below it when the path ends with a separator or is one that it can see to be a folder. */
function everythingBelow(path: string): string {
  return path === '*' ? path : resolve(path);
}

/** Variables that change what program runs, or hold what is ours: no permission grants them. */
const never = /^(NODE_|LD_|DYLD_|PALYRA_)/;

/** The variables that a plugin may see: those that it names and that are there, and none that could change what runs. */
export function permittedEnvironment(
  { environment = [] }: Permissions,
  own: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const granted = environment.filter((name) => !never.test(name));
  return Object.fromEntries(
    granted.flatMap((name) => {
      const value = Object.hasOwn(own, name) ? own[name] : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
