import type { Plugin } from '../contract/plugin.js';
import { didYouMean } from '../kernel/nearest.js';
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

/** Where a plugin comes from, or why it does not. One that is nowhere here may be on nodes only, or misspelt. */
export function originText({ plugin, state, fault, folder = '' }: Plugin, all: readonly Plugin[]): string {
  if (state !== 'not_installed') return fault?.message ?? folder;
  const here = all.filter((other) => other.state !== 'not_installed');
  const near = didYouMean(
    plugin,
    here.map((other) => other.plugin),
  );
  return ['enabled, and not installed here', ...(near === undefined ? [] : [near])].join('. ');
}

/** One plugin with all that is known of it. */
export function pluginText(context: CliContext, plugin: Plugin): readonly string[] {
  const paint = colours(context.stdout, context.env);
  const { fault, permissions = {} } = plugin;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['State', paint[pluginColours[plugin.state]](stateTexts[plugin.state])],
    ['Problem', fault && paint.red(printable(fault.message))],
    // A near match is part of what is said already.
    ['Hint', fault?.hint && !fault.message.includes(fault.hint) ? printable(fault.hint) : undefined],
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
