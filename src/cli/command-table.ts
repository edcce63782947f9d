import type { Command } from 'commander';
import type { CliContext } from './context.js';

/** Adds one command, with its options and what it does, to the program. */
export type RegisterCommand = (program: Command, context: CliContext) => void;

/** One command of `palyra`. Its code is loaded when it is called. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<RegisterCommand>;
}

export const commandTable: readonly CommandEntry[] = [
  {
    name: 'pair',
    summary: 'let one more machine ask to join',
    load: async () => (await import('./commands/pair.js')).registerPairCommand,
  },
  {
    name: 'pairings',
    summary: 'list, approve, reject and cancel requests to join',
    load: async () => (await import('./commands/pairings.js')).registerPairingsCommand,
  },
  {
    name: 'ca',
    summary: 'look at the certificate authority of the daemon, and replace it',
    load: async () => (await import('./commands/ca.js')).registerCaCommand,
  },
  {
    name: 'inventory',
    summary: 'show every machine with its trust, presence and capabilities',
    load: async () => (await import('./commands/inventory.js')).registerInventoryCommand,
  },
  {
    name: 'devices',
    summary: 'look at the identities behind the machines, and shut them out',
    load: async () => (await import('./commands/devices.js')).registerDevicesCommand,
  },
  {
    name: 'surfaces',
    summary: 'decide what may be called on which machine',
    load: async () => (await import('./commands/surfaces.js')).registerSurfacesCommand,
  },
  {
    name: 'invoke',
    summary: 'run a capability on a machine',
    load: async () => (await import('./commands/invoke.js')).registerInvokeCommand,
  },
  {
    name: 'run',
    summary: 'run a capability on many machines',
    load: async () => (await import('./commands/run.js')).registerRunCommand,
  },
  {
    name: 'fanouts',
    summary: 'look at what was run on many machines, and cancel it',
    load: async () => (await import('./commands/fanouts.js')).registerFanoutsCommand,
  },
  {
    name: 'dispatches',
    summary: 'look at what was run and is under way, end it, or run it again',
    load: async () => (await import('./commands/dispatches.js')).registerDispatchesCommand,
  },
  {
    name: 'backup',
    summary: 'back up the state of palyrad, also while it runs',
    load: async () => (await import('./commands/backup.js')).registerBackupCommand,
  },
  {
    name: 'restore',
    summary: 'put a backup of palyrad in place, or check one',
    load: async () => (await import('./commands/restore.js')).registerRestoreCommand,
  },
  {
    name: 'passphrase',
    summary: 'seal the keys of this machine with a passphrase',
    load: async () => (await import('./commands/passphrase.js')).registerPassphraseCommand,
  },
  {
    name: 'plugins',
    summary: 'see which plugins there are and why some are left out',
    load: async () => (await import('./commands/plugins.js')).registerPluginsCommand,
  },
  {
    name: 'explain',
    summary: 'say why a dispatch, a pairing or a machine is where it is',
    load: async () => (await import('./commands/explain.js')).registerExplainCommand,
  },
  {
    name: 'node',
    summary: 'be a machine that runs capabilities',
    load: async () => (await import('./commands/node.js')).registerNodeCommand,
  },
  {
    name: 'plugin',
    summary: 'write a plugin: make, run, check and bundle it',
    load: async () => (await import('./commands/plugin.js')).registerPluginCommand,
  },
];
