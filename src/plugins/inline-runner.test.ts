import { expect, test } from 'vitest';
import { InlineRunner } from './inline-runner.js';
import { runnerContract, sampleCall } from './testing/runner-contract.js';

runnerContract({ name: 'inline', make: (spec) => new InlineRunner({ plugin: 'sample', ...spec }) });

test('before it is started nothing runs', async () => {
  const runner = new InlineRunner({ plugin: 'sample', entry: '/nowhere.js', capabilities: ['keys'] });
  await expect(runner.run(sampleCall('keys'))).rejects.toMatchObject({ code: 'plugin.not_started' });
  await expect(runner.start()).rejects.toMatchObject({ code: 'plugin.load_failed' });
  await expect(runner.run(sampleCall('keys'))).rejects.toMatchObject({ code: 'plugin.not_started' });
});
