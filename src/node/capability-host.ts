import { nodeError } from '../actors/errors.js';
import type { ExecutionHost } from '../actors/execution/executions.js';
import type { DispatchOrder } from '../actors/link/frames.js';
import type { Mediations } from '../actors/mediation/mediations.js';
import type { Subject } from '../actors/mediation/question.js';
import { toAppError } from '../kernel/errors.js';
import type { KernelLog } from '../kernel/log.js';
import type { PluginHost } from '../plugins/plugin-host.js';
import { rememberedValue } from '../plugins/remembered-value.js';
import type { PluginLog } from '../plugins/sdk/handler.js';

export interface CapabilityHostOptions {
  readonly plugins: PluginHost;
  readonly mediations: Pick<Mediations, 'ask'>;
  readonly log: KernelLog;
}

/** Runs orders through the plugin host. The input is parsed once and kept with its order. */
export function capabilityHost({ plugins, mediations, log }: CapabilityHostOptions): ExecutionHost {
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
    needsMediation: ({ descriptorDigest }) =>
      plugins.offered(descriptorDigest)?.descriptor.mediation.mode === 'local',
    mediate(order, limitMs, signal, asker) {
      const subject = subjectOf(plugins, order, inputOf(order));
      if (subject) mediations.ask(subject, limitMs, signal, asker);
      else asker.decided({ kind: 'nobody', reason: 'its plugin is gone' });
    },
    async run(order, signal, deadline, permission, progress) {
      const output = await plugins.execute({
        capability: order.capability,
        digest: order.descriptorDigest,
        input: inputOf(order),
        allowedBuild: permission?.build,
        signal,
        deadline,
        log: pluginLog(log, order),
        progress: (value, skipped) => progress(Buffer.from(JSON.stringify(value) ?? 'null'), skipped),
      });
      return Buffer.from(JSON.stringify(output) ?? 'null');
    },
  };
}

/** What the person is asked about; undefined when the plugin was taken away a moment ago. */
function subjectOf(plugins: PluginHost, order: DispatchOrder, input: unknown): Subject | undefined {
  const { dispatchId, capability, descriptorDigest, caller } = order;
  const offered = plugins.offered(descriptorDigest);
  if (!offered) return undefined;
  const { descriptor, version, build } = offered;
  const { title, plugin, publisher, mediation } = descriptor;
  const remember = rememberedValue(mediation, input);
  const what = { dispatchId, capability, descriptorDigest, title, plugin, publisher, version, build };
  return { ...what, caller, input, ...(remember === undefined ? {} : { remember }) };
}

function pluginLog(log: KernelLog, order: DispatchOrder): PluginLog {
  const write =
    (level: keyof KernelLog) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      log[level]({ capability: order.capability, dispatch: order.dispatchId, fields }, message);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
