import type { Control } from '../../actors/control.js';
import { isTerminal } from '../../actors/dispatch/record.js';
import { contract } from '../../contract/contract-version.js';
import {
  deviceBody,
  dispatchBody,
  explanationBody,
  inventoryBody,
  mintedCodeBody,
  pairingBody,
} from './bodies.js';
import type { RouteCall, RouteHandlers } from './route-call.js';

/** The routes over the operations of the daemon. */
export function routeHandlers(control: Control, ready: () => boolean): RouteHandlers {
  const { pairings, inventory, devices, dispatches, explanations } = control;
  const decides =
    (action: 'revoke' | 'remove' | 'ban' | 'lift') =>
    async ({ caller, params, body }: Pick<RouteCall<'revokeDevice'>, 'caller' | 'params' | 'body'>) =>
      deviceBody(await devices.decide(caller, params.id, { action, ...body }));
  return {
    mintPairingCode: async ({ caller, body }) => mintedCodeBody(await pairings.mintJoinCode(caller, body)),
    listPairings: async ({ caller, query }) => {
      const found = await pairings.list(caller, query.state === undefined ? {} : { states: query.state });
      return { pairings: found.map(pairingBody) };
    },
    getPairing: async ({ caller, params }) => pairingBody(await pairings.get(caller, params.id)),
    approvePairing: async ({ caller, params, body }) =>
      pairingBody(await pairings.approve(caller, params.id, body)),
    rejectPairing: async ({ caller, params, body }) =>
      pairingBody(await pairings.reject(caller, params.id, body)),
    getInventory: async ({ caller, query }) => ({
      devices: (await inventory.list(caller, query)).map(inventoryBody),
    }),
    listDevices: async ({ caller, query }) => {
      const page = await devices.list(caller, query);
      return { ...page, devices: page.devices.map(deviceBody) };
    },
    getDevice: async ({ caller, params }) => deviceBody(await devices.get(caller, params.id)),
    renameDevice: async ({ caller, params, body: { reason = '', ...decision } }) =>
      deviceBody(await devices.decide(caller, params.id, { action: 'rename', reason, ...decision })),
    rotateDevice: async ({ caller, params, body: { reason = '', ...decision } }) =>
      deviceBody(await devices.decide(caller, params.id, { action: 'rotate', reason, ...decision })),
    revokeDevice: decides('revoke'),
    removeDevice: decides('remove'),
    banDevice: decides('ban'),
    liftDevice: decides('lift'),
    createDispatch: async ({ caller, body, status, waitFor }) => {
      const created = dispatches.create(caller, body);
      const record = await (body.wait === true ? waitFor(created) : created);
      if (!isTerminal(record.state)) status(202);
      return dispatchBody(record);
    },
    listDispatches: async ({ caller, query: { state, ...filter } }) => {
      const page = await dispatches.list(caller, {
        ...filter,
        ...(state === undefined ? {} : { states: state }),
      });
      return { ...page, dispatches: page.dispatches.map(dispatchBody) };
    },
    getDispatch: async ({ caller, params }) => dispatchBody(await dispatches.get(caller, params.id)),
    cancelDispatch: async ({ caller, params, body }) =>
      dispatchBody(await dispatches.cancel(caller, params.id, body.reason ?? '')),
    explain: async ({ caller, params }) =>
      explanationBody(await explanations.explain(caller, params.subject)),
    getContract: () => contract,
    getHealth: () => ({ status: 'ok', ready: ready() }),
  };
}
