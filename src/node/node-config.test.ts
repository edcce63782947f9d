import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundledPlugins } from '../plugins/bundled.js';
import { readNodeConfig } from './node-config.js';
import { mayRun, noRules } from './plugin-rules.js';

const example = fileURLToPath(new URL('../../docs/palyra-node.example.yaml', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palyra-node-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(yaml: string) {
  const file = join(folder, 'palyra-node.yaml');
  writeFileSync(file, yaml);
  return readNodeConfig(undefined, { PALYRA_NODE_CONFIG: file });
}

describe('palyra-node.yaml', () => {
  it('need not be there, and its example says what holds then', () => {
    const none = { roots: [bundledPlugins()], rules: noRules };
    expect(readNodeConfig(undefined, { XDG_CONFIG_HOME: folder })).toEqual(none);
    expect(readNodeConfig(example, {})).toMatchObject(none);
  });

  it('only takes away: what is not named, and what is named as not to run', () => {
    const { roots, rules } = read('plugins: { paths: [mine, /abs], enabled: [echo, lab], disabled: [lab] }');
    expect(roots).toEqual([bundledPlugins(), join(folder, 'mine'), '/abs']);
    expect(['echo', 'lab', 'other'].map((name) => mayRun(rules, name))).toEqual([true, false, false]);
    expect(mayRun(noRules, 'other')).toBe(true);
  });

  it.each([
    ['plugins: { disable: [echo] }', /1:12: \/plugins\/disable .*Did you mean 'disabled'/],
    ['plugins: { enabled: echo }', /1:21: \/plugins\/enabled should be a list/],
    ['plugins: { settings: { echo: 7 } }', /\/plugins\/settings\/echo should be a mapping/],
    ['plugins: { settings: { __proto__: {} } }', /__proto__ is not allowed/],
    ['plugin: {}', /\/plugin is not a known key.*Did you mean 'plugins'/],
  ])('%s is refused with the place', (yaml, message) => {
    expect(() => read(yaml)).toThrow(message);
  });
});
