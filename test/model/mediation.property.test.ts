import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AskingNode, mostMs } from '../support/asking-node.js';
import { propertyRuns } from '../support/property-runs.js';

/*
 * There is no way to run what asks for a person without their yes to that very call, or one that they gave before for the same
 * caller, site and build, which has not ended, was not taken back, and is not in doubt since the clock was set back.
 */

type Step =
  | { readonly do: 'order'; readonly site: number; readonly caller: number }
  | { readonly do: 'say'; readonly answer: 'allow' | 'deny' | 'remember' }
  | { readonly do: 'advance' | 'set back'; readonly ms: number }
  | { readonly do: 'cancel'; readonly dispatch: number }
  | { readonly do: 'forget' | 'crash' | 'build' };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('order'), site: fc.nat(1), caller: fc.nat(1) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('say'),
      answer: fc.constantFrom('allow', 'deny', 'remember', 'remember'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.constantFrom(mostMs / 2, mostMs) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('set back'), ms: fc.constantFrom(10_000, mostMs) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel'), dispatch: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('forget', 'crash', 'build') }) },
) as fc.Arbitrary<Step>;

/** What is known of the person's word, told by what was done alone. */
class Model {
  readonly allowed = new Set<string>();
  readonly remembered = new Map<string, number>();
  readonly keyOf = new Map<string, string>();
}

async function play(history: readonly Step[]): Promise<void> {
  const node = new AskingNode();
  const model = new Model();
  let count = 0;
  await node.start();
  const key = (site: string, caller: string): string => [site, caller, node.build].join();
  for (const step of history) {
    const before = node.ran.length;
    switch (step.do) {
      case 'order': {
        const [site, caller] = [`https://${step.site}.example`, `operator:${step.caller}`];
        const id = `dp_${++count}`;
        model.keyOf.set(id, key(site, caller));
        await node.order(id, site, { caller });
        break;
      }
      case 'say': {
        const request = node.open()[0]?.request;
        if (request !== undefined && step.answer !== 'deny') model.allowed.add(request.dispatchId);
        if (request !== undefined && step.answer === 'remember')
          model.remembered.set(model.keyOf.get(request.dispatchId) ?? '', node.clock.now() + mostMs);
        const isRemembered = step.answer === 'remember';
        await node.say(
          isRemembered ? { answer: 'allow', rememberMs: mostMs } : { answer: step.answer as 'allow' },
        );
        break;
      }
      case 'advance':
        await node.advance(step.ms);
        break;
      case 'set back':
        node.clock.setWallTime(node.clock.now() - step.ms);
        model.remembered.clear();
        break;
      case 'cancel':
        await node.cancel(`dp_${step.dispatch}`);
        break;
      case 'forget':
        await node.answers.forget();
        model.remembered.clear();
        break;
      case 'crash':
        await node.start();
        break;
      case 'build':
        node.build = node.build === 'b1' ? 'b2' : 'b1';
        break;
    }
    for (const { order, permission } of node.ran.slice(before)) {
      const { dispatchId, descriptorDigest } = order;
      expect(permission).toMatchObject({ dispatchId, descriptorDigest });
      const asked = model.keyOf.get(dispatchId) ?? '';
      expect(asked.endsWith(permission?.build ?? 'none')).toBe(true);
      const holds = node.clock.now() < (model.remembered.get(asked) ?? 0);
      expect(model.allowed.has(dispatchId) || holds).toBe(true);
    }
  }
  // Nothing runs twice, and only what was ordered.
  const ran = node.ran.map(({ order }) => order.dispatchId);
  expect(new Set(ran).size).toBe(ran.length);
  node.stop();
}

it('runs nothing without a yes that counts', async () => {
  await fc.assert(fc.asyncProperty(fc.array(steps, { minLength: 20, maxLength: 40 }), play), {
    numRuns: propertyRuns(60),
  });
}, 120_000);
