import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ConfigProblem } from '../../adapters/config/config-error.js';
import { valueAt } from '../../adapters/config/config-layer.js';
import { AppError } from '../../kernel/errors.js';
import { configOptions, publishedConfigSchema } from './config-option.js';
import type { ConfigFlags } from './config-overrides.js';
import { type DaemonConfig, loadConfig } from './daemon-config.js';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-config-'));
  file = join(directory, 'palyra.yaml');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const root = new URL('../../../', import.meta.url);
const examplePath = fileURLToPath(new URL('docs/palyra.example.yaml', root));
const defaults = () => loadConfig({ env: {}, flags: {} });

function refusal(load: () => DaemonConfig): AppError {
  try {
    load();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

function problemsOf(error: AppError): readonly ConfigProblem[] {
  return (error.details as { problems: readonly ConfigProblem[] }).problems;
}

describe('defaults', () => {
  test('hold without a file, variables or flags, and are frozen', () => {
    const config = defaults();
    expect(config).toEqual({
      listen: {
        http: { host: '127.0.0.1', port: 7142, advertise: [] },
        enrollment: { host: '127.0.0.1', port: 7443, advertise: [] },
        node: { host: '127.0.0.1', port: 7444, advertise: [] },
      },
      log: { level: 'info' },
      state: { passphraseFile: undefined },
      plugins: {
        paths: [],
        enabled: ['echo', 'system-health', 'desktop-open-url'],
        settings: {},
        pin: 'descriptor',
      },
      dispatch: {
        inputLimit: 1_048_576,
        outputLimit: 1_048_576,
        queuePerNode: 1000,
        queueBytesPerNode: 67_108_864,
        inFlightPerNode: 256,
        retentionMs: 2_592_000_000,
        retentionCount: 1_000_000,
      },
      session: { heartbeatMs: 10_000, heartbeatMaxMs: 60_000 },
      pairing: {
        defaultTtlMs: 600_000,
        confirmWithinMs: 86_400_000,
        return: 'ask',
        returnMaxAgeMs: 2_592_000_000,
      },
      certificates: {
        deviceLifetimeMs: 86_400_000,
        serverLifetimeMs: 2_592_000_000,
        caLifetimeMs: 315_360_000_000,
        caOverlapMs: 604_800_000,
      },
      file: undefined,
    });
    expect(() => (config.plugins.enabled as string[]).push('x')).toThrow(TypeError);
    expect(defaults().plugins.enabled).not.toBe(config.plugins.enabled);
  });

  test('are what the example file says, which names every option', async () => {
    expect(loadConfig({ file: examplePath, env: {}, flags: {} })).toEqual({
      ...defaults(),
      file: examplePath,
    });
    const written: unknown = parse(await readFile(examplePath, 'utf8'));
    const missing = configOptions.filter(({ path }) => valueAt(written, path) === undefined);
    expect(missing.map(({ pointer }) => pointer)).toEqual([]);
  });

  test.each(['', '\n# nothing but a comment\n', '---\n', '{}'])('hold for the file %j', async (text) => {
    await writeFile(file, text);
    expect(loadConfig({ file, env: {}, flags: {} })).toEqual({ ...defaults(), file });
  });
});

test('the published schema is fresh, accepts the example and refuses an unknown key', async () => {
  const text = await readFile(new URL('schemas/palyra.schema.json', root), 'utf8');
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(publishedConfigSchema())));
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(text));
  expect(validate(parse(await readFile(examplePath, 'utf8')))).toBe(true);
  expect(validate({ log: {} })).toBe(true);
  expect(validate({ logs: {} })).toBe(false);
});

describe('precedence', () => {
  test('flags over variables over the file over defaults, option by option', async () => {
    await writeFile(
      file,
      'listen: { http: { bind: "127.0.0.1:1" }, node: { bind: "[::1]:2" } }\nlog: { level: warn }\nsession: { heartbeat: 20s }\n',
    );
    const env = {
      PALYRA_LOG_LEVEL: 'error',
      PALYRA_LISTEN_HTTP_BIND: 'localhost:3',
      PALYRA_PAIRING_DEFAULT_TTL: '',
    };
    const config = loadConfig({ file, env, flags: { httpPort: '0', nodePort: '5', enrollPort: '6' } });
    expect(config.log.level).toBe('error');
    expect(config.listen.http).toMatchObject({ host: 'localhost', port: 0 });
    expect(config.listen.node).toMatchObject({ host: '::1', port: 5 });
    expect(config.listen.enrollment).toMatchObject({ host: '127.0.0.1', port: 6 });
    expect(config.session.heartbeatMs).toBe(20_000);
    expect(config.pairing.defaultTtlMs).toBe(600_000);
    expect(loadConfig({ file, env, flags: { logLevel: 'debug' } }).log.level).toBe('debug');
  });

  test('a variable says numbers as digits and lists with commas', () => {
    const env = {
      PALYRA_DISPATCH_INPUT_LIMIT: '2048',
      PALYRA_PLUGINS_ENABLED: 'echo, mine',
      PALYRA_LISTEN_NODE_ADVERTISE: '[2001:db8::1]:7444,nodes.example.org:7444',
    };
    const config = loadConfig({ env, flags: {} });
    expect(config.dispatch.inputLimit).toBe(2048);
    expect(config.plugins.enabled).toEqual(['echo', 'mine']);
    expect(config.listen.node.advertise).toEqual(['[2001:db8::1]:7444', 'nodes.example.org:7444']);
  });

  test('the passphrase file has a variable of its own name and a flag, and is relative to the file that names it', async () => {
    await writeFile(file, 'state: { passphraseFile: sealed/passphrase }');
    const from = (env: NodeJS.ProcessEnv, flags: ConfigFlags) =>
      loadConfig({ file, env, flags }).state.passphraseFile;
    expect(from({}, {})).toBe(join(directory, 'sealed/passphrase'));
    const env = { PALYRA_PASSPHRASE_FILE: 'variable', PALYRA_PASSPHRASE: 'not an option' };
    expect(from(env, {})).toBe(resolve('variable'));
    expect(from(env, { passphraseFile: '/flag' })).toBe('/flag');
    expect(refusal(() => loadConfig({ env: { PALYRA_PASSPHRASE_FIL: 'x' }, flags: {} })).message).toMatch(
      /PALYRA_PASSPHRASE_FIL: is not a known variable.*PALYRA_PASSPHRASE_FILE/,
    );
  });

  test('variables of the other programs are not options', () => {
    const env = {
      PALYRA_STATE_DIR: '/s',
      PALYRA_URL: 'x',
      PALYRA_TOKEN_FILE: 'x',
      PALYRA_NODE_STATE_DIR: 'x',
    };
    expect(loadConfig({ env, flags: {} })).toEqual(defaults());
  });
});

describe('the file', () => {
  test('is the named one, else that of PALYRA_CONFIG, else that of the XDG directory', async () => {
    const write = async (path: string, level: string) => {
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, `log: { level: ${level} }`);
    };
    await write(join(directory, 'home/.config/palyra/palyra.yaml'), 'warn');
    await write(join(directory, 'xdg/palyra/palyra.yaml'), 'error');
    await write(join(directory, 'variable.yaml'), 'debug');
    await write(join(directory, 'named.yaml'), 'trace');
    const level = (env: NodeJS.ProcessEnv, named?: string) =>
      loadConfig({ env, flags: {}, ...(named === undefined ? {} : { file: named }) }).log.level;
    const home = { HOME: join(directory, 'home') };
    const xdg = { ...home, XDG_CONFIG_HOME: join(directory, 'xdg') };
    const variable = { ...xdg, PALYRA_CONFIG: join(directory, 'variable.yaml') };
    expect(level({ HOME: directory })).toBe('info');
    expect(level(home)).toBe('warn');
    expect(level(xdg)).toBe('error');
    expect(level(variable)).toBe('debug');
    expect(level(variable, join(directory, 'named.yaml'))).toBe('trace');
  });

  test('has paths relative to itself; those of a variable are relative to the working directory', async () => {
    await writeFile(file, 'plugins: { paths: [mine, /abs] }');
    expect(loadConfig({ file, env: {}, flags: {} }).plugins.paths).toEqual([join(directory, 'mine'), '/abs']);
    const env = { PALYRA_PLUGINS_PATHS: 'mine' };
    expect(loadConfig({ file, env, flags: {} }).plugins.paths).toEqual([resolve('mine')]);
  });

  test.each([
    ['absent', undefined],
    ['too large', '#'.repeat(300_000)],
    ['not UTF-8', Buffer.from([0x61, 0xff])],
  ])('is refused when it is %s', async (_name, content) => {
    if (content !== undefined) await writeFile(file, content);
    const error = refusal(() => loadConfig({ file, env: {}, flags: {} }));
    expect(error).toMatchObject({ code: 'config.unreadable', message: expect.stringContaining(file) });
  });
});

/** The text of a file, then each problem as `line:column pointer`, a part of its message, and what it suggests. */
type FileCase = readonly [
  name: string,
  text: string,
  ...problems: readonly (readonly [string, RegExp, string?])[],
];

const fileCases: readonly FileCase[] = [
  [
    'an unknown section',
    'lisen:\n  http: {}\n',
    ['1:1 /lisen', /not a known key; here are: listen, log/, 'listen'],
  ],
  [
    'an unknown key',
    'session:\n  hartbeat: 5s\n',
    ['2:3 /session/hartbeat', /here are: heartbeat, heartbeatMax/, 'heartbeat'],
  ],
  ['a key in the wrong section', 'level: info\n', ['1:1 /level', /not a known key/, 'log.level']],
  ['a key like nothing', 'log: { zzzzzz: 1 }\n', ['1:8 /log/zzzzzz', /here are: level$/]],
  [
    'a misspelt level',
    'log:\n  level: wran\n',
    ['2:10 /log/level', /one of trace, debug.*but is "wran"/, 'warn'],
  ],
  [
    'a number for a duration',
    'session: { heartbeat: 10 }',
    ['1:23 /session/heartbeat', /a duration from 1s to 60s, such as '1s', but is 10/],
  ],
  [
    'a duration out of range',
    'pairing: { defaultTtl: 25h }',
    ['1:24 /pairing/defaultTtl', /from 30s to 24h.*"25h"/],
  ],
  [
    'a duration without sense',
    'pairing: { defaultTtl: soon }',
    ['1:24 /pairing/defaultTtl', /but is "soon"/],
  ],
  [
    'a port alone',
    'listen: { http: { bind: 7142 } }',
    ['1:25 /listen/http/bind', /an address such as '127.0.0.1:7142'.*is 7142/],
  ],
  [
    'a port too high',
    'listen: { node: { bind: "127.0.0.1:70000" } }',
    ['1:25 /listen/node/bind', /but is "127.0.0.1:70000"/],
  ],
  [
    'an address that is none',
    'listen: { node: { bind: "127.0.0.300:1" } }',
    ['1:25 /listen/node/bind', /address/],
  ],
  [
    'an IPv6 address without brackets',
    'listen: { node: { bind: "::1:7444" } }',
    ['1:25 /listen/node/bind', /\[::1\]/],
  ],
  [
    'port 0 advertised',
    'listen: { node: { advertise: ["a:1", "b:0"] } }',
    ['1:38 /listen/node/advertise/1', /palyra.example.org/],
  ],
  ['a text for a list', 'plugins: { enabled: echo }', ['1:21 /plugins/enabled', /a list/]],
  ['a plugin named twice', 'plugins: { enabled: [echo, echo] }', ['1:21 /plugins/enabled', /different/]],
  [
    'a plugin name with spaces',
    'plugins: { enabled: ["a b"] }',
    ['1:22 /plugins/enabled/0', /a name that matches/],
  ],
  [
    'a fraction',
    'dispatch: { queuePerNode: 1.5 }',
    ['1:27 /dispatch/queuePerNode', /a whole number from 1 to 1000000, but is 1.5/],
  ],
  [
    'a limit over the message size',
    'dispatch: { inputLimit: 4194304 }',
    ['1:25 /dispatch/inputLimit', /to 3145728/],
  ],
  [
    'a section with nothing under it',
    'log: info\nlisten:\n',
    ['1:6 /log', /mapping with level.*"info"/],
    ['2:8 /listen', /is null/],
  ],
  ['a list as the whole file', '- 1\n', ['1:1 ', /mapping of sections/]],
  ['broken YAML', 'log:\n  level: [info\nsession: {}\n', ['3:1 ', /Flow sequence/]],
  ['a tab as indentation', 'log:\n\tlevel: info\n', ['2:1 ', /Tabs/]],
  ['a key twice', 'log: { level: info }\nlog: { level: warn }\n', ['2:1 ', /unique/]],
  ['two documents', 'log: {}\n---\nlog: {}\n', ['2:1 ', /second document/]],
  ['a %YAML 1.1 line', '%YAML 1.1\n---\nlog: {}\n', ['1:1 ', /YAML 1.2/]],
  [
    'an anchor and its alias',
    'pairing: { defaultTtl: &a 10m, confirmWithin: *a }',
    ['1:27 /pairing/defaultTtl', /anchor \(&a\)/],
    ['1:47 /pairing/confirmWithin', /alias/],
  ],
  ['a tag', 'log: { level: !!binary aW5mbw== }', ['1:24 /log/level', /tag/]],
  [
    '__proto__ as a key',
    '__proto__: { level: x }\nlog: { constructor: 1 }',
    ['1:1 /__proto__', /not allowed/],
    ['2:8 /log/constructor', /not allowed/],
  ],
  ['a key that is no text', '? [a]\n: 1\n7: 2\n', ['1:3 ', /not text/], ['3:1 ', /not text: 7/]],
  [
    'a port twice',
    'listen: { node: { bind: "127.0.0.1:7142" } }',
    ['1:25 /listen/node/bind', /same address as .listen.http.bind/],
  ],
  [
    'the control plane open to others',
    'listen:\n  http:\n    bind: 0.0.0.0:7142\n',
    ['3:11 /listen/http/bind', /no TLS yet; bind it to 127.0.0.1/],
  ],
  [
    'the control plane on a name',
    'listen: { http: { bind: "example.org:1" } }',
    ['1:25 /listen/http/bind', /others can reach/],
  ],
  [
    'a heartbeat over its maximum',
    'session: { heartbeatMax: 5s }',
    ['1:26 /session/heartbeatMax', /heartbeat \(10s\) should not be longer/],
  ],
  [
    'a certificate that outlives its CA',
    'certificates: { serverLifetime: 20d, caLifetime: 10d }',
    ['1:33 /certificates/serverLifetime', /caLifetime \(10d\)/],
  ],
];

describe('a wrong file names each problem with its line, column and pointer:', () => {
  test.each(fileCases.map(([name, text, ...expected]) => ({ name, text, expected })))(
    '$name',
    async ({ text, expected }) => {
      await writeFile(file, text);
      const error = refusal(() => loadConfig({ file, env: {}, flags: {} }));
      expect(error).toMatchObject({ code: 'config.invalid', category: 'validation' });
      expect(error.hint).toBeDefined();
      const problems = problemsOf(error);
      const places = problems.map(({ origin, pointer }) =>
        origin.kind === 'file' ? `${origin.line}:${origin.column} ${pointer}` : origin.name,
      );
      expect(places).toEqual(expected.map(([place]) => place));
      for (const [index, [place, message, near]] of expected.entries()) {
        expect(problems[index]?.message).toMatch(message);
        expect(problems[index]?.suggestion).toEqual(
          near === undefined ? undefined : expect.stringContaining(`'${near}'`),
        );
        expect(error.message).toContain(`${file}:${place.split(' ')[0]}: `);
        expect(error.fields?.[index]?.field).toBe(place.split(' ')[1]);
      }
    },
  );

  test('all of them at once, in the order of the file, with those of variables and flags after', async () => {
    await writeFile(
      file,
      'log: { level: loud }\nlisten: { http: { bint: 1 } }\ndispatch: { queuePerNode: none }\n',
    );
    const env = { PALYRA_SESSION_HEARTBEAT: 'x', PALYRA_LOG_LEVLE: 'info' };
    const error = refusal(() => loadConfig({ file, env, flags: { httpPort: '99999' } }));
    expect(error.message.split('\n').map((line) => line.trim().split(' ')[0])).toEqual([
      'The',
      `${file}:1:15:`,
      `${file}:2:19:`,
      `${file}:3:27:`,
      'PALYRA_LOG_LEVLE:',
      'PALYRA_SESSION_HEARTBEAT:',
      '--http-port:',
    ]);
    expect(error.fields).toHaveLength(6);
    expect(error.message).toContain("Did you mean 'PALYRA_LOG_LEVEL'?");
  });

  test('a value that is overridden is still checked', async () => {
    await writeFile(file, 'log: { level: loud }');
    expect(() => loadConfig({ file, env: { PALYRA_LOG_LEVEL: 'info' }, flags: {} })).toThrow(/loud/);
  });

  test.each([
    ['nested too deep', `log: ${'['.repeat(60)}${']'.repeat(60)}`],
    ['nested beyond the parser', '['.repeat(100_000)],
    [
      'a bomb of aliases',
      `a: &a [x]\n${'bcdefghij'.replace(/./g, (c) => `${c}: &${c} [${'*a, '.repeat(9)}]\n`)}`,
    ],
    ['a thousand unknown keys', Array.from({ length: 1000 }, (_, n) => `k${n}: 1`).join('\n')],
  ])('%s is refused quickly', async (_name, text) => {
    await writeFile(file, text);
    const started = performance.now();
    const error = refusal(() => loadConfig({ file, env: {}, flags: {} }));
    expect(error.code).toBe('config.invalid');
    expect(error.message.length).toBeLessThan(8000);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('a wrong variable or flag is named:', () => {
  const cases: readonly (readonly [string, NodeJS.ProcessEnv, ConfigFlags, RegExp])[] = [
    [
      'not a number',
      { PALYRA_DISPATCH_QUEUE_PER_NODE: 'many' },
      {},
      /PALYRA_DISPATCH_QUEUE_PER_NODE: \/dispatch\/queuePerNode should be a whole number/,
    ],
    [
      'a bad item',
      { PALYRA_LISTEN_NODE_ADVERTISE: 'a:1,b' },
      {},
      /PALYRA_LISTEN_NODE_ADVERTISE: \/listen\/node\/advertise\/1/,
    ],
    [
      'an exposed control plane',
      { PALYRA_LISTEN_HTTP_BIND: '[::]:1' },
      {},
      /PALYRA_LISTEN_HTTP_BIND: \/listen\/http\/bind .*no TLS/,
    ],
    ['a port that is none', {}, { nodePort: '-1' }, /--node-port: .*a port from 0 to 65535, but is "-1"/],
    ['a level that is none', {}, { logLevel: 'inf' }, /--log-level: \/log\/level .*Did you mean 'info'/],
    [
      'ports that clash',
      {},
      { httpPort: '9', nodePort: '9' },
      /--node-port: \/listen\/node\/bind is the same address/,
    ],
  ];
  test.each(cases)('%s', (_name, env, flags, message) => {
    const error = refusal(() => loadConfig({ env, flags }));
    expect(error.message).toMatch(message);
    expect(problemsOf(error)).toHaveLength(1);
  });
});
