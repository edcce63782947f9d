import { expect, it } from 'vitest';
import { systemClock } from '../kernel/clock.js';
import type { CliContext } from './context.js';
import { exitCodes } from './exit-codes.js';
import { readInvitation } from './node-invitation.js';

function context(given: {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly typed?: string;
}): CliContext & { readonly problems: (string | undefined)[] } {
  const problems: (string | undefined)[] = [];
  return {
    problems,
    stdin: (async function* () {
      yield given.stdin ?? '';
    })(),
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    env: given.env ?? {},
    clock: systemClock,
    exitCode: exitCodes.ok,
    interactive: given.typed !== undefined,
    ask: async (_question, { problem }) => {
      problems.push(problem('47-1930'), problem(given.typed ?? ''));
      return given.typed === '' ? undefined : given.typed;
    },
    confirm: async () => false,
    choose: async () => undefined,
    onInterrupt: () => () => undefined,
  };
}

const pinOf = async (invited: ReturnType<typeof readInvitation>): Promise<string | undefined> => {
  const invitation = (await invited)?.invitation;
  return invitation?.method === 'pin' ? `${invitation.address} ${invitation.code.pin.reveal()}` : undefined;
};

it('is none without a join string and --pin', async () => {
  expect(await readInvitation({ join: undefined, pin: undefined }, context({}))).toBeUndefined();
});

it('takes a PIN from the variable, which no child inherits', async () => {
  const env: NodeJS.ProcessEnv = { PALYRA_PIN: '47-193082' };
  expect(await pinOf(readInvitation({ join: undefined, pin: true }, context({ env })))).toBe(
    '127.0.0.1:7443 193082',
  );
  expect(env).not.toHaveProperty('PALYRA_PIN');
});

it('takes a PIN from the first line of the standard input when nobody can be asked', async () => {
  const given = context({ stdin: '47-193082\n{"answer":"allow"}\n' });
  const invited = await readInvitation({ join: undefined, pin: 'palyra.example.org:7443' }, given);
  expect(invited).toMatchObject({ readStdin: true, invitation: { address: 'palyra.example.org:7443' } });
});

it('asks a person, and says at the prompt what is wrong with how it is written', async () => {
  const asked = context({ typed: '47-193082' });
  expect(await pinOf(readInvitation({ join: undefined, pin: '10.0.0.1:1' }, asked))).toBe(
    '10.0.0.1:1 193082',
  );
  expect(asked.problems).toEqual([expect.stringContaining('4 digits instead of 6'), undefined]);
  await expect(readInvitation({ join: undefined, pin: true }, context({ typed: '' }))).rejects.toMatchObject({
    code: 'cli.interrupted',
  });
});

it('refuses what it can not use before anything is asked', async () => {
  await expect(readInvitation({ join: undefined, pin: '47-193082' }, context({}))).rejects.toMatchObject({
    code: 'cli.usage',
    message: expect.stringContaining('--pin'),
  });
  await expect(readInvitation({ join: 'palyra://join/x', pin: true }, context({}))).rejects.toMatchObject({
    code: 'cli.usage',
  });
  const env = { PALYRA_PIN: 'x' };
  await expect(readInvitation({ join: undefined, pin: true }, context({ env }))).rejects.toMatchObject({
    code: 'identity.invalid_pin',
  });
  await expect(readInvitation({ join: 'nonsense', pin: undefined }, context({}))).rejects.toMatchObject({
    code: 'identity.invalid_join_string',
  });
});
