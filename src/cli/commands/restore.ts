import type { Command } from 'commander';
import {
  formatDeviceId,
  isDeviceId,
  refuseMistypedDeviceId,
  shortDeviceId,
} from '../../actors/identity/device-id.js';
import type { RestoredBackup, TrustedDevice } from '../../adapters/backup/restore-backup.js';
import type { Secret } from '../../kernel/secret.js';
import { cliError } from '../cli-errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { note, print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { relativeTime } from '../time-text.js';

interface RestoreFlags {
  readonly check?: boolean;
  readonly passphraseFile?: string;
  readonly stateDir?: string;
  readonly force?: boolean;
  readonly revocations?: string;
  readonly revoke?: readonly string[];
  readonly trustAllDevices?: boolean;
  readonly json?: boolean;
}

const what = `
The file is checked to its last byte before anything is changed; then all of the state is replaced, or nothing, even
if this is broken off. palyrad must be stopped. A state that was there is kept beside the new one.

Who was shut out since the backup stays out: that stands in revocations.log of the directory that is replaced, or in
the copy that --revocations names. If there is none, each device that the backup trusts has to be confirmed: at the
terminal, or with --trust-all-devices and --revoke.

At its first start with a restored state, palyrad ends what may have run since as outcome_unknown.

Exit codes: 0 restored, 2 not a backup or a device is undecided, 6 torn, changed, wrong passphrase, in use or not empty,
7 no such device or file of revocations.`;

/** `palyra restore FILE` */
export function registerRestoreCommand(program: Command, context: CliContext): void {
  const command = program
    .command('restore')
    .summary('put a backup of palyrad in place, or check one')
    .description('Put the state of a backup in the place of the state of palyrad on this machine.')
    .argument('<file>', 'what `palyra backup` made')
    .option('--check', 'only check the file, and say what it holds')
    .option('--passphrase-file <file>', 'the passphrase of the backup, in the first line of this file')
    .option('--state-dir <dir>', 'the state directory of palyrad (PALYRA_STATE_DIR)')
    .option('--force', 'replace the state that is there; it is kept beside the new one')
    .option('--revocations <file>', 'a copy of revocations.log that is newer than the backup')
    .option(
      '--revoke <device>',
      'revoke this device of the backup, by name or id; may be given more than once',
      (value: string, all: readonly string[] = []) => [...all, value],
    )
    .option('--trust-all-devices', 'trust every other device of the backup without asking')
    .option('--json', 'print JSON, also for errors')
    .addHelpText(
      'after',
      examples(
        [
          'palyra restore --check palyra.2026-01-02 --passphrase-file p',
          'what it is of, and whether it is whole',
        ],
        ['palyra restore palyra.2026-01-02 --passphrase-file p --force', 'go back to it on the same machine'],
        [
          'palyra restore palyra.2026-01-02 --passphrase-file p --revocations revocations.log',
          'on a new machine, with the revocations saved from the old one',
        ],
        [
          'palyra restore palyra.2026-01-02 --passphrase-file p --revoke build-7 --trust-all-devices',
          'on a new machine, in a script: build-7 was shut out since',
        ],
      ),
    )
    .addHelpText('after', what);
  command.action((file: string, flags: RestoreFlags) => restore(file, flags, context));
}

async function restore(file: string, flags: RestoreFlags, context: CliContext): Promise<void> {
  const { readPassphraseFile } = await import('../../adapters/secrets/passphrase.js');
  const passphrase =
    flags.passphraseFile === undefined ? undefined : await readPassphraseFile(flags.passphraseFile);
  if (flags.check) return check(file, passphrase, flags, context);
  const { restoreBackup } = await import('../../adapters/backup/restore-backup.js');
  const { defaultStateDirectory } = await import('../../adapters/os/state-directory.js');
  const restored = await restoreBackup({
    file,
    ...(passphrase === undefined ? {} : { passphrase }),
    stateDirectory: flags.stateDir ?? defaultStateDirectory('daemon', context.env),
    force: flags.force === true,
    ...(flags.revocations === undefined ? {} : { revocationsFile: flags.revocations }),
    revoke: (devices, mustDecide) => devicesToRevoke(devices, mustDecide, flags, context),
    clock: context.clock,
  });
  if (flags.json) printJson(context, { file, ...restored });
  else printRestored(context, restored);
}

async function check(
  file: string,
  passphrase: Secret<string> | undefined,
  { json }: RestoreFlags,
  context: CliContext,
): Promise<void> {
  const { readBackup } = await import('../../adapters/backup/read-backup.js');
  const manifest = await readBackup({ file, ...(passphrase === undefined ? {} : { passphrase }) });
  if (json) {
    printJson(context, { file, manifest });
    return;
  }
  const { sizeText } = await import('../size-text.js');
  print(
    context,
    `${printable(file)} is whole.`,
    `  made      ${relativeTime(manifest.createdAt, context.clock.now())} (${manifest.createdAt})`,
    `  by        palyra ${printable(manifest.version)}`,
    ...manifest.authorities.map(({ fingerprint }) => `  of CA     ${fingerprint}`),
    ...manifest.files.map(({ name, size }) => `  ${sizeText(size).padStart(10)}  ${name}`),
  );
}

/**
 * @throws AppError `cli.not_found` and `cli.ambiguous` for `--revoke`, `cli.confirmation_needed` when nobody can be asked about
 *   a device that has to be confirmed.
 */
async function devicesToRevoke(
  devices: readonly TrustedDevice[],
  mustDecide: boolean,
  { revoke = [], trustAllDevices }: RestoreFlags,
  context: CliContext,
): Promise<readonly string[]> {
  const named = new Set(revoke.map((text) => findTrusted(devices, text).id));
  const others = devices.filter(({ id }) => !named.has(id));
  if (!mustDecide || trustAllDevices || others.length === 0) return [...named];
  if (!context.interactive) {
    throw cliError(
      'confirmation_needed',
      `Nobody knows who was shut out since the backup: ${others.length} devices are undecided`,
      {
        hint: 'Name a newer copy of revocations.log with --revocations; or revoke devices with --revoke and trust the others with --trust-all-devices',
        details: { devices: others.map(({ id, name }) => ({ deviceId: id, name })) },
      },
    );
  }
  note(
    context,
    'There is no newer file of revocations. Which devices of the backup are to be trusted still?',
  );
  for (const device of others) {
    if (!(await context.confirm(`Trust ${deviceText(device, context.clock.now())}?`))) named.add(device.id);
  }
  return [...named];
}

function findTrusted(devices: readonly TrustedDevice[], text: string): TrustedDevice {
  const prefix = text.toUpperCase().replaceAll('-', '');
  const matches = isDeviceId(prefix)
    ? devices.filter(({ id }) => id === prefix)
    : devices.filter(({ id, name }) => name === text || (prefix !== '' && id.startsWith(prefix)));
  const [found, second] = matches;
  if (found === undefined) {
    refuseMistypedDeviceId(text);
    throw cliError(
      'not_found',
      `The backup trusts no device named '${printable(text)}', and none whose id begins so`,
      {
        hint: 'It may be shut out already. Leave it out, or give the name or the id that the device had then',
      },
    );
  }
  if (second === undefined) return found;
  throw cliError(
    'ambiguous',
    `'${printable(text)}' may be ${printable(found.name)} or ${printable(second.name)}`,
    {
      hint: `Give more of the id, for example ${formatDeviceId(found.id)}`,
    },
  );
}

function deviceText({ id, name, lastSeenAt }: TrustedDevice, now: number): string {
  const seen =
    lastSeenAt === undefined ? 'never seen' : `seen ${relativeTime(new Date(lastSeenAt).toISOString(), now)}`;
  return `${printable(name)} (${shortDeviceId(id)}, ${seen})`;
}

function printRestored(
  context: CliContext,
  { manifest, kept, configFile, revocations, revoked }: RestoredBackup,
): void {
  print(
    context,
    `Restored the state of ${manifest.createdAt}, of CA ${manifest.authorities.at(-1)?.fingerprint.slice(0, 16)}….`,
    ...(revocations.added > 0 ? [`Kept ${revocations.added} decisions about devices that are newer.`] : []),
    ...(revoked.length > 0 ? [`Revoked ${revoked.map((id) => shortDeviceId(id)).join(', ')}.`] : []),
    ...(kept === undefined
      ? []
      : [`The state that was there is in ${printable(kept)}: delete it when palyrad runs well.`]),
    ...(configFile === undefined
      ? []
      : [`The configuration of the backup is ${printable(configFile)}: compare it with yours.`]),
    'Start palyrad. Dispatches that may have run since the backup end as outcome_unknown, and each node raises an alert once: palyra devices allow-restored.',
  );
}
