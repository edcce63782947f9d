import { type Outcome, type TestKit, type TestKitOptions, testKit } from 'palyra-node-runtime/testing';
import { afterEach, expect, test } from 'vitest';
import plugin from './index.js';

let kit: TestKit;

async function open(url: string, options: Partial<TestKitOptions> = {}): Promise<Outcome> {
  kit = await testKit({ plugin, ...options });
  return kit.invoke('desktop.open_url', { url });
}

afterEach(() => kit.close());

test('the person is asked, with the page and who wants it, and then it is opened', async () => {
  expect(await open('https://example.com')).toMatchObject({
    state: 'succeeded',
    output: { url: 'https://example.com/' },
  });
  expect(kit.questions).toMatchObject([
    { capability: 'desktop.open_url', caller: 'operator:test', input: { url: 'https://example.com' } },
  ]);
  expect(kit.openedUrls).toEqual(['https://example.com/']);
});

test('a no is a no', async () => {
  expect(await open('https://example.com', { person: 'deny' })).toMatchObject({
    state: 'rejected',
    reason: 'mediation_denied',
  });
  expect(kit.openedUrls).toEqual([]);
});

test('a yes can be remembered for the origin of a page, and for no other', async () => {
  expect(await open('https://example.com/a', { person: 'remember' })).toMatchObject({ state: 'succeeded' });
  expect(kit.questions[0]?.remember).toEqual({
    by: 'origin',
    value: 'https://example.com',
    mostMs: 8 * 3_600_000,
  });
  kit.person = 'deny';
  expect(await kit.invoke('desktop.open_url', { url: 'https://EXAMPLE.com:443/b?c#d' })).toMatchObject({
    state: 'succeeded',
    allowed: { by: 'remembered' },
  });
  for (const url of [
    'http://example.com/',
    'https://www.example.com/',
    'https://example.com.evil.example/',
  ]) {
    expect(await kit.invoke('desktop.open_url', { url })).toMatchObject({ reason: 'mediation_denied' });
  }
  expect(kit.openedUrls).toEqual(['https://example.com/a', 'https://example.com/b?c#d']);
});

test('a page is never opened twice: when the node dies under it, nobody knows', async () => {
  let opened = 0;
  kit = await testKit({
    plugin,
    openUrl: () => {
      opened += 1;
      return new Promise(() => undefined);
    },
  });
  const call = await kit.start('desktop.open_url', { url: 'https://example.com' });
  await kit.until(() => opened === 1);
  await kit.crash('node');
  expect(await call.ended()).toMatchObject({ state: 'outcome_unknown' });
  expect(opened).toBe(1);
});

test('a browser that does not start is a failure that may pass', async () => {
  const openUrl = () => Promise.reject(new Error('no browser'));
  expect(await open('https://example.com', { openUrl })).toMatchObject({
    state: 'failed',
    error: {
      message: expect.stringContaining('no browser'),
      retryable: true,
      details: { code: 'not_opened' },
    },
  });
});

const rules = {
  allow: ['example.com', '*.example.org', '[::1]'],
  deny: ['evil.example.org', '*.evil.example.org'],
};

test.each([
  'https://example.com/a?b#c',
  'http://example.com:8080/',
  'https://EXAMPLE.com./',
  'https://a.example.org/',
  'https://b.a.example.org/',
  'http://[0:0:0:0:0:0:0:1]/',
])('the rules let %s through', async (url) => {
  expect(await open(url, { config: rules })).toMatchObject({ state: 'succeeded' });
});

test.each([
  'https://www.example.com/',
  'https://example.org/',
  'https://notexample.org/',
  'https://example.com.evil.net/',
  'https://evil.example.org/',
  'https://evil.example.org./',
  'https://a.evil.example.org/',
  'http://2130706433/',
])('the rules refuse %s', async (url) => {
  expect(await open(url, { config: rules })).toMatchObject({
    state: 'failed',
    error: { details: { code: 'site_not_allowed', host: expect.any(String) } },
  });
  expect(kit.openedUrls).toEqual([]);
});

test.each([{ allow: ['https://example.com'] }, { allow: ['Example.com'] }, { deny: ['*'] }, { alow: [] }])(
  'rules that are none are told at the start: %j',
  async (config) => {
    await expect(testKit({ plugin, config })).rejects.toMatchObject({
      message: expect.stringContaining('/config'),
    });
    kit = await testKit({ plugin });
  },
);
