import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { roles, verifiedCaller } from '../src/kernel/authority.js';

/*
 * Authority travels with the event, and it begins where an identity is proven. The types hold everybody to the first (see
 * authority.test-d.ts); this holds the sources to the second, since a cast or a call in the wrong place would compile.
 */

const root = fileURLToPath(new URL('..', import.meta.url));

/** Who may call an identity proven, and what was checked before. */
const authenticationSteps: Readonly<Record<string, string>> = {
  'src/adapters/http/operator-token.ts': "an operator's token was compared",
  'src/adapters/grpc/node-service.ts':
    "a machine's certificate was checked: issued here, in force, of a device that is trusted",
  'src/actors/fanout/orders.ts':
    'what this daemon wrote down of a caller after it had compared the token, to go on after a restart',
  'src/actors/pairing/enrolment.ts': "the signature of a machine's identity key was checked",
  'src/actors/pairing/returns.ts':
    'the same, of one that comes back; and the policy of the operator, read from the config',
};

/** Every source but tests and what serves them, without its comments. */
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.test.ts') && !name.includes('testing/'))
  .map((name) => join(root, 'src', name))
  .map((path) => ({
    file: relative(root, path),
    code: readFileSync(path, 'utf8')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/^\s*\/\/.*$/gm, ''),
  }));

const filesWith = (pattern: RegExp): string[] =>
  sources.filter(({ code }) => pattern.test(code)).map(({ file }) => file);

describe('authority', () => {
  it('is given in the authentication steps only', () => {
    expect(sources.length).toBeGreaterThan(150);
    const makers = filesWith(/\bverifiedCaller\b/).filter((file) => file !== 'src/kernel/authority.ts');
    expect(makers.sort()).toEqual(Object.keys(authenticationSteps).sort());
  });

  it('is made by no cast', () => {
    expect(filesWith(/\bas\s+(?:unknown\s+as\s+)?VerifiedCaller\b|<VerifiedCaller>/)).toEqual([
      'src/kernel/authority.ts',
    ]);
  });

  it('is not gone around by a cast of an event that lacks it', () => {
    // `{} as PairingEvent` is how `setup` learns the type of a machine's events.
    const casts = filesWith(
      /(?<!\bevents: \{\} )\bas\s+(?:unknown\s+as\s+)?(?:Pairing|Dispatch|Device)\w*Event\b/,
    );
    expect(casts).toEqual([]);
  });

  it('can not be raised afterwards', () => {
    const identity = { kind: 'operator' as const, name: 'ada', role: roles[0] };
    const caller = verifiedCaller(identity);
    expect(() => Object.assign(caller, { role: 'admin' })).toThrow(TypeError);
    Object.assign(identity, { role: 'admin' });
    expect(caller).toEqual({ kind: 'operator', name: 'ada', role: 'viewer' });
  });
});

describe('the permission to run what asks for a person', () => {
  it('is made by the machine of the question only', () => {
    const makers = filesWith(/\bpermission\(/).filter(
      (file) => file !== 'src/actors/mediation/permission.ts',
    );
    expect(makers).toEqual(['src/actors/mediation/machine.ts']);
    expect(filesWith(/\bas\s+(?:unknown\s+as\s+)?Permission\b|<Permission>/)).toEqual([
      'src/actors/mediation/permission.ts',
    ]);
  });
});
