import { nodeError } from '../actors/errors.js';
import type { ExecutionHost } from '../actors/execution/executions.js';
import type { DispatchOrder } from '../actors/link/frames.js';
import { toAppError } from '../kernel/errors.js';
import type { KernelLog } from '../kernel/log.js';
import type { PluginHost } from '../plugins/plugin-host.js';
import type { PluginLog } from '../plugins/sdk/handler.js';
import type { Mediator } from './mediation.js';

export interface CapabilityHostOptions {
  readonly plugins: PluginHost;
  readonly mediator: Mediator;
  readonly log: KernelLog;
}

/** Runs orders through the plugin host. The input is parsed once and kept with its order. */
export function capabilityHost({ plugins, mediator, log }: CapabilityHostOptions): ExecutionHost {
  const inputs = new WeakMap<DispatchOrder, { readonly value: unknown }>();
  const inputOf = (order: DispatchOrder): unknown => {
    const kept = inputs.get(order);
    if (kept) return kept.value;
    const { buffer, byteOffset, byteLength } = order.input;
    const value: unknown = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8'));
    inputs.set(order, { value });
    return value;
  };

  return {
    refusal(order) {
      try {
        plugins.check({
          capability: order.capability,
          digest: order.descriptorDigest,
          input: inputOf(order),
        });
        return undefined;
      } catch (thrown) {
        const error =
          thrown instanceof SyntaxError
            ? nodeError('unknown_capability', 'The input of the order is not JSON')
            : toAppError(thrown);
        return { reason: error.category === 'validation' ? 'node_validation' : 'node_policy', error };
      }
    },
    needsMediation: (order) => plugins.needsMediation(order.descriptorDigest),
    mediate: (order, signal, answer) =>
      mediator.ask(
        {
          dispatchId: order.dispatchId,
          capability: order.capability,
          caller: order.caller,
          input: inputOf(order),
          timeoutMs: order.mediationTimeoutMs,
        },
        signal,
        answer,
      ),
    async run(order, signal, deadline, progress) {
      const output = await plugins.execute({
        capability: order.capability,
        digest: order.descriptorDigest,
        input: inputOf(order),
        signal,
        deadline,
        log: pluginLog(log, order),
        progress: (value) => progress(Buffer.from(JSON.stringify(value) ?? 'null')),
      });
      return Buffer.from(JSON.stringify(output) ?? 'null');
    },
  };
}

function pluginLog(log: KernelLog, order: DispatchOrder): PluginLog {
  const write =
    (level: keyof KernelLog) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      log[level]({ capability: order.capability, dispatch: order.dispatchId, fields }, message);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
