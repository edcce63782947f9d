import type { Plugin } from '../contract/plugin.js';
import type { CliContext } from './context.js';
import { colours } from './output.js';
import { printable } from './printable.js';

export const pluginColours = {
  loaded: 'green',
  disabled: 'dim',
  quarantined: 'red',
  not_installed: 'dim',
} as const;

const stateTexts = {
  loaded: 'loaded',
  disabled: 'disabled: not in plugins.enabled',
  quarantined: 'quarantined',
  not_installed: 'enabled; not installed here, nodes may bring it',
} as const;

/** One plugin with all that is known of it. */
export function pluginText(context: CliContext, plugin: Plugin): readonly string[] {
  const paint = colours(context.stdout, context.env);
  const { fault, permissions = {} } = plugin;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['State', paint[pluginColours[plugin.state]](stateTexts[plugin.state])],
    ['Problem', fault && paint.red(printable(fault.message))],
    ['Hint', fault?.hint && printable(fault.hint)],
    ['File', plugin.file && printable(plugin.file)],
    ['Folder', plugin.folder && printable(plugin.folder)],
    ['Version', plugin.version && printable(`${plugin.version} by ${plugin.publisher ?? ''}`)],
    ['Build', plugin.buildDigest],
    ['Isolation', plugin.isolation],
    ['Asks for', plugin.permissions && printable(permissionText(permissions))],
    ['Gives', plugin.capabilities.map(({ name }) => printable(name)).join(', ') || undefined],
  ];
  return [
    paint.bold(printable(plugin.plugin)),
    '',
    ...rows.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(9)} ${text}`])),
  ];
}

/** What a plugin asks to touch, in a line. */
function permissionText({
  fileSystem,
  network,
  childProcesses,
  environment,
}: NonNullable<Plugin['permissions']>): string {
  const asked = [
    ...(fileSystem?.read ?? []).map((path) => `read ${path}`),
    ...(fileSystem?.write ?? []).map((path) => `write ${path}`),
    ...(network ?? []).map((host) => `contact ${host}`),
    ...(childProcesses ? ['start programs'] : []),
    ...(environment ?? []).map((name) => `see $${name}`),
  ];
  return asked.join(', ') || 'nothing';
}
