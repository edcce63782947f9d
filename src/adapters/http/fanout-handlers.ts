import type { FanoutControl } from '../../actors/fanout/view.js';
import { fanoutBody } from './fanout-bodies.js';
import type { RouteHandlers } from './route-call.js';

/** The routes over fan-outs. */
export function fanoutHandlers(
  fanouts: FanoutControl,
): Pick<RouteHandlers, 'planFanout' | 'createFanout' | 'listFanouts' | 'getFanout' | 'cancelFanout'> {
  return {
    planFanout: async ({ caller, body }) => {
      const { targets, ...plan } = await fanouts.plan(caller, body);
      return { ...plan, targets: [...targets] };
    },
    createFanout: async ({ caller, body }) => fanoutBody(await fanouts.create(caller, body)),
    listFanouts: async ({ caller, query: { state, ...filter } }) => {
      const page = await fanouts.list(caller, {
        ...filter,
        ...(state === undefined ? {} : { states: state }),
      });
      return { ...page, fanouts: page.fanouts.map(fanoutBody) };
    },
    getFanout: async ({ caller, params, query: { after, wait }, waitFor }) => {
      const since = {
        ...(after === undefined ? {} : { after }),
        ...(wait === undefined ? {} : { waitMs: wait }),
      };
      const find = () => fanouts.get(caller, params.id, since);
      return fanoutBody(await (wait === undefined ? find() : waitFor(find)));
    },
    cancelFanout: async ({ caller, params, body }) =>
      fanoutBody(await fanouts.cancel(caller, params.id, body.reason ?? '')),
  };
}
