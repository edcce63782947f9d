import type { Control } from '../../actors/control.js';
import { isTerminal } from '../../actors/dispatch/record.js';
import { contract } from '../../contract/contract-version.js';
import {
  authorityBody,
  deviceBody,
  dispatchBody,
  dispatchForecastBody,
  dispatchSummaryBody,
  explanationBody,
  inventoryBody,
  pairingBody,
  pruneJobBody,
} from './bodies.js';
import { codeBody, mintedJoinBody, mintedPinBody, pinPairingBody } from './code-bodies.js';
import { cursorOf, eventBodies } from './event-bodies.js';
import { fanoutHandlers } from './fanout-handlers.js';
import { httpError } from './http-errors.js';
import { pluginBody } from './plugin-bodies.js';
import { qrCode } from './qr-code.js';
import type { RouteCall, RouteHandlers } from './route-call.js';
import { grantBody, surfaceBody, surfaceDetailBody } from './surface-bodies.js';

/** The routes over the operations of the daemon. */
export function routeHandlers(control: Control, ready: () => boolean): RouteHandlers {
  const {
    authority,
    codes,
    pairings,
    inventory,
    devices,
    surfaces,
    dispatches,
    feeds,
    pruning,
    explanations,
    plugins,
  } = control;
  const decides =
    (action: 'revoke' | 'remove' | 'ban' | 'lift') =>
    async ({ caller, params, body }: Pick<RouteCall<'revokeDevice'>, 'caller' | 'params' | 'body'>) =>
      deviceBody(await devices.decide(caller, params.id, { action, ...body }));
  return {
    mintPairingCode: async ({ caller, body: { method = 'join', qr, ...options } }) => {
      if (method === 'pin') {
        if (qr !== undefined) throw noQrOfPin();
        return mintedPinBody(await codes.mintPin(caller, options));
      }
      const minted = await codes.mintJoin(caller, options);
      return mintedJoinBody(minted, qr && (await qrCode(minted.joinString, qr)));
    },
    listPairingCodes: async ({ caller, query: { state, ...filter } }) => {
      const page = await codes.list(caller, { ...filter, ...(state === undefined ? {} : { states: state }) });
      return { ...page, codes: page.codes.map(codeBody) };
    },
    getPairingCode: async ({ caller, params }) => codeBody(await codes.get(caller, params.id)),
    cancelPairingCode: async ({ caller, params, body }) =>
      codeBody(await codes.cancel(caller, params.id, body.reason ?? '')),
    getPinPairing: async ({ caller }) => pinPairingBody(await codes.pins(caller)),
    unlockPinPairing: async ({ caller, body }) =>
      pinPairingBody(await codes.unlockPins(caller, body.reason ?? '')),
    listPairings: async ({ caller, query: { state, ...filter } }) => {
      const page = await pairings.list(caller, {
        ...filter,
        ...(state === undefined ? {} : { states: state }),
      });
      return { ...page, pairings: page.pairings.map(pairingBody) };
    },
    getPairing: async ({ caller, params }) => pairingBody(await pairings.get(caller, params.id)),
    approvePairing: async ({ caller, params, body }) =>
      pairingBody(await pairings.approve(caller, params.id, body)),
    cancelPairing: async ({ caller, params, body }) =>
      pairingBody(await pairings.cancel(caller, params.id, body.reason ?? '')),
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
    labelDevice: async ({ caller, params, body: { reason = '', labels: set = {}, remove = [], ...rest } }) =>
      deviceBody(await devices.decide(caller, params.id, { action: 'label', reason, set, remove, ...rest })),
    rotateDevice: async ({ caller, params, body: { reason = '', ...decision } }) =>
      deviceBody(await devices.decide(caller, params.id, { action: 'rotate', reason, ...decision })),
    revokeDevice: decides('revoke'),
    removeDevice: decides('remove'),
    banDevice: decides('ban'),
    liftDevice: decides('lift'),
    decideClone: async ({ caller, params, body }) =>
      deviceBody(await devices.decideClone(caller, params.id, body)),
    listSurfaces: async ({ caller, query: { state, ...filter } }) => {
      const page = await surfaces.list(caller, {
        ...filter,
        ...(state === undefined ? {} : { states: state }),
      });
      return { ...page, surfaces: page.surfaces.map(surfaceBody) };
    },
    getSurface: async ({ caller, params: { id, capability } }) =>
      surfaceDetailBody(await surfaces.get(caller, id, capability)),
    decideSurface: async ({ caller, params: { id, capability }, body: { reason = '', ...decision } }) =>
      surfaceBody(await surfaces.decide(caller, id, capability, { ...decision, reason })),
    listGrants: async ({ caller }) => ({ grants: (await surfaces.grants(caller)).map(grantBody) }),
    createGrant: async ({ caller, body: { reason = '', ...request } }) =>
      grantBody(await surfaces.grant(caller, { ...request, reason })),
    withdrawGrant: async ({ caller, params, body }) =>
      grantBody(await surfaces.withdraw(caller, params.id, body.reason ?? '')),
    listPlugins: async ({ caller }) => ({ plugins: (await plugins.list(caller)).map(pluginBody) }),
    getPlugin: async ({ caller, params }) => ({
      plugins: (await plugins.get(caller, params.plugin)).map(pluginBody),
    }),
    reloadPlugins: async ({ caller }) => {
      const { plugins: all, restartNeeded } = await plugins.reload(caller);
      return { plugins: all.map(pluginBody), restartNeeded: [...restartNeeded] };
    },
    getAuthority: async ({ caller }) => authorityBody(await authority.show(caller)),
    rotateAuthority: async ({ caller, body: { reason = '', ...options } }) =>
      authorityBody(await authority.rotate(caller, { reason, ...options })),
    forgetAuthority: async ({ caller, body: { fingerprint, reason = '' } }) =>
      authorityBody(await authority.forget(caller, fingerprint, reason)),
    createDispatch: async ({ caller, body, status, waitFor }) => {
      const record = await (body.wait === true
        ? waitFor((gone) => dispatches.create(caller, body, gone))
        : dispatches.create(caller, body));
      if (!isTerminal(record.state)) status(202);
      return dispatchBody(record);
    },
    foreseeDispatch: async ({ caller, body }) => dispatchForecastBody(await dispatches.foresee(caller, body)),
    listDispatches: async ({ caller, query: { state, label, since, until, ...filter } }) => {
      const page = await dispatches.list(caller, {
        ...filter,
        ...(state === undefined ? {} : { states: state }),
        ...(label === undefined ? {} : { labels: labelsOf(label) }),
        ...(since === undefined ? {} : { since: Date.parse(since) }),
        ...(until === undefined ? {} : { until: Date.parse(until) }),
      });
      return { ...page, dispatches: page.dispatches.map(dispatchSummaryBody) };
    },
    getDispatch: async ({ caller, params, query: { wait = false }, waitFor }) => {
      const found = wait
        ? waitFor((gone) => dispatches.get(caller, params.id, wait, gone))
        : dispatches.get(caller, params.id);
      return dispatchBody(await found);
    },
    followDispatch: async ({ caller, params, query, lastEventId = query.after, signal }) => {
      const after = lastEventId === undefined ? {} : { after: cursorOf(lastEventId) };
      return eventBodies(await feeds.follow(caller, params.id, { ...after, signal }));
    },
    cancelDispatch: async ({ caller, params, body }) =>
      dispatchBody(await dispatches.cancel(caller, params.id, body.reason ?? '')),
    pruneDispatches: async ({ caller, body }) => pruneJobBody(await pruning.prune(caller, body)),
    getPruning: async ({ caller }) => {
      const job = await pruning.pruning(caller);
      return job === undefined ? {} : { job: pruneJobBody(job) };
    },
    retryDispatch: async ({ caller, params, body }) =>
      dispatchBody(await dispatches.retry(caller, params.id, body)),
    ...fanoutHandlers(control.fanouts),
    explain: async ({ caller, params }) =>
      explanationBody(await explanations.explain(caller, params.subject)),
    getContract: () => contract,
    getHealth: () => ({ status: 'ok', ready: ready() }),
  };
}

function labelsOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  );
}

function noQrOfPin() {
  return httpError('invalid_request', 'A PIN is typed; only a join string is there as a QR code', {
    fields: [{ field: 'qr', message: 'goes with the method join' }],
  });
}
