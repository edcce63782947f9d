import type { Permissions } from '../descriptor.js';
import { type Bundle, ownCode } from './bundle.js';
import { advice, type Finding } from './finding.js';
import type { PluginProject } from './plugin-project.js';

interface Kind {
  readonly pointer: string;
  readonly modules: RegExp;
  /** A name for each global that does the same; matched in the bundle of the plugin's own code. */
  readonly globals: readonly string[];
  readonly what: string;
  isGranted(permissions: Permissions): boolean;
}

const kinds: readonly Kind[] = [
  {
    pointer: '/permissions/childProcesses',
    modules: /^(child_process|cluster)$/,
    globals: [],
    what: 'starts programs',
    isGranted: ({ childProcesses }) => childProcesses === true,
  },
  {
    pointer: '/permissions/network',
    modules: /^(net|tls|http|https|http2|dgram|dns)(\/|$)/,
    globals: ['fetch', 'WebSocket', 'EventSource'],
    what: 'opens connections',
    isGranted: ({ network = [] }) => network.length > 0,
  },
  {
    pointer: '/permissions/fileSystem',
    modules: /^fs(\/|$)/,
    globals: [],
    what: 'touches files',
    isGranted: ({ fileSystem: { read = [], write = [] } = {} }) => read.length + write.length > 0,
  },
  {
    pointer: '/permissions/environment',
    modules: /^$/,
    globals: ['process.env'],
    what: 'reads environment variables',
    isGranted: ({ environment = [] }) => environment.length > 0,
  },
];

/**
 * Where what the code uses and what the manifest asks for do not go together. What the plugin's own sources use must be asked
 * for; what is asked for must be used by something in the bundle.
 */
export async function permissionAdvice(
  project: PluginProject,
  bundle: Bundle,
  permissions: Permissions,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const globals = await usedGlobals(project);
  for (const kind of kinds) {
    const modules = [...bundle.builtins].filter(([name]) => kind.modules.test(name));
    const own = modules.flatMap(([name, files]) =>
      files.filter((file) => !file.includes('node_modules')).map((file) => `${file} imports node:${name}`),
    );
    const used = [
      ...own,
      ...kind.globals.filter((name) => globals.has(name)).map((name) => `it uses ${name}`),
    ];
    const [reason] = used;
    if (!kind.isGranted(permissions) && reason !== undefined) {
      found.push(
        advice('permission_missing', kind.pointer, `is not asked for, and the code ${kind.what}: ${reason}`, {
          hint: 'Say in permissions what it touches: a process of its own gets no more than that',
        }),
      );
    } else if (kind.isGranted(permissions) && used.length + modules.length === 0) {
      found.push(
        advice('permission_unused', kind.pointer, `is asked for, and nothing in the bundle ${kind.what}`, {
          hint: 'Leave it out: operators approve what is asked for',
        }),
      );
    }
  }
  return found;
}

/** The globals that the plugin's own code really means: a local variable of the same name is none. */
async function usedGlobals(project: PluginProject): Promise<ReadonlySet<string>> {
  const names = kinds.flatMap(({ globals }) => globals);
  const marks = new Map(names.map((name, index) => [name, `palyraGlobal${index}Used`]));
  const text = await ownCode(project, Object.fromEntries(marks));
  return new Set(names.filter((name) => text.includes(marks.get(name) ?? name)));
}
