import { Type } from 'typebox';
import { alertSchema, deviceActionList } from './device.js';
import { hiddenTrustStates, trustStates } from './device-states.js';
import { HostFactsSchema } from './host-facts.js';
import { PluginStandingSchema } from './plugin-standing.js';
import { closed, digest, labels, time, type Wire, words } from './primitives.js';
import { surfaceStates } from './surface-states.js';

const InventoryCapabilitySchema = Type.Object(
  {
    capability: Type.String(),
    digest,
    plugin: Type.String(),
    pluginVersion: Type.String(),
    buildDigest: Type.String(),
    standing: Type.Optional(PluginStandingSchema),
    status: words(
      ['available', 'not_approved', 'not_enabled', 'not_offered'],
      'whether it may be called, and if not, what is missing',
    ),
    decision: words(surfaceStates, 'what operators decided about it on this device'),
  },
  closed,
);

const inventoryTrust = words(
  ['pending', ...trustStates],
  'whether the device may connect; pending: it has asked to join',
);

export const InventoryEntrySchema = Type.Object(
  {
    deviceId: Type.String(),
    name: Type.String(),
    trust: inventoryTrust,
    presence: words(['online', 'late', 'offline'], 'late: 2 heartbeats missed; offline: 4, or no session'),
    labels,
    facts: HostFactsSchema,
    capabilities: Type.Array(InventoryCapabilitySchema),
    certificateExpiresAt: Type.Optional(time('when its newest certificate ends')),
    lastSeenAt: Type.Optional(time('when it was heard of last')),
    connectedSince: Type.Optional(time('when its session began')),
    epoch: Type.Integer({ description: 'grows with each session' }),
    queued: Type.Integer({ description: 'dispatches that wait for it' }),
    inFlight: Type.Integer({ description: 'dispatches that it has and that have not ended' }),
    alerts: Type.Array(alertSchema, { description: 'what an operator should look at' }),
    actions: deviceActionList,
  },
  closed,
);
export type InventoryEntry = Wire<typeof InventoryEntrySchema>;

export const InventorySchema = Type.Object({ devices: Type.Array(InventoryEntrySchema) }, closed);
export type Inventory = Wire<typeof InventorySchema>;

/** Several states are given as `?trust=a&trust=b`. */
export const InventoryFilterSchema = Type.Object(
  {
    trust: Type.Optional(
      Type.Array(inventoryTrust, {
        description: `only these; default: all but ${hiddenTrustStates.join(', ')}`,
      }),
    ),
  },
  closed,
);
