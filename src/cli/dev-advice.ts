import type { CapabilityExample } from '../plugins/descriptor.js';
import type { DevReport } from './dev-report.js';
import { printable } from './printable.js';

/** A capability of the node with the daemon's word on it. */
export interface Standing {
  readonly capability: string;
  readonly status: string;
}

/** What a capability of the plugin is tried with. */
export type Examples = ReadonlyMap<string, CapabilityExample | undefined>;

/**
 * What there is to do about each capability of a plugin, by the daemon's word on it.
 *
 * @param node the name of the node
 */
export function adviceOn(
  node: string,
  plugin: string,
  standings: readonly Standing[],
  examples: Examples,
): readonly DevReport[] {
  const own = standings.filter(({ capability }) => examples.has(capability));
  const at = quoted(node);
  const notEnabled = own.some(({ status }) => status === 'not_enabled');
  const advice: DevReport[] = notEnabled
    ? [
        {
          event: 'waits',
          why: `palyrad lets no node run ${printable(plugin)}: name it under plugins.enabled in its palyra.yaml, then`,
          command: 'palyra plugins reload',
        },
      ]
    : [];
  for (const { capability, status } of own) {
    if (status === 'not_approved') {
      const command = `palyra surfaces approve ${quoted(`${node}:${capability}`)}`;
      advice.push({ event: 'waits', why: `An operator has to approve ${printable(capability)}:`, command });
    } else if (status === 'accepted') {
      const input = JSON.stringify(examples.get(capability)?.input ?? {});
      const command = `palyra invoke ${at} ${quoted(capability)} --input ${quoted(input)}`;
      advice.push({ event: 'ready', capability, command });
    }
  }
  return advice;
}

/** A word as a shell takes it. */
function quoted(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `'${printable(text).replaceAll("'", `'\\''`)}'`;
}
