// Stands for the systemd of a user: does what it is told with units, keeps what it was told, and runs what a unit says.
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

// systemd-notify knows of nothing but the socket.
const folder = process.env.FAKE_SYSTEMD ?? dirname(process.env.NOTIFY_SOCKET ?? '');
const told = process.argv.slice(2);
appendFileSync(join(folder, 'calls'), `${basename(process.argv[1])} ${told.join(' ')}\n`);
const [, verb, ...rest] = told;
const unit = rest.find((word) => word.endsWith('.service'));
const pidFile = join(folder, 'pid');

function pid() {
  try {
    const found = Number(readFileSync(pidFile, 'utf8'));
    const stat = readFileSync(`/proc/${found}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z') ? 0 : found;
  } catch {
    return 0;
  }
}

/** The words of a command line as systemd reads them, but for what nothing here uses. */
function words(line) {
  const quoted = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) =>
    text.replace(/\\(.)/g, '$1').replaceAll('%%', '%'),
  );
  return quoted.map((word, at) => (at === 0 ? word : word.replaceAll('$$', '$')));
}

if (basename(process.argv[1]) === 'systemd-notify') process.exit(0);
if (verb === 'show' && unit === undefined) console.log('255');
else if (verb === 'show') {
  const main = pid();
  const state = main > 0 ? ['active', 'running'] : ['inactive', 'dead'];
  console.log(`ActiveState=${state[0]}\nSubState=${state[1]}\nMainPID=${main}\nResult=success`);
} else if (verb === 'start' && pid() === 0) {
  const text = readFileSync(join(process.env.HOME ?? '', '.config/systemd/user', unit), 'utf8');
  const [program, ...args] = words(/^ExecStart=(.*)$/m.exec(text)[1]);
  const env = {
    HOME: process.env.HOME,
    PATH: process.env.PATH,
    FAKE_SYSTEMD: folder,
    NOTIFY_SOCKET: join(folder, 'notify'),
    WATCHDOG_USEC: '600000',
  };
  const child = spawn(program, args, { detached: true, stdio: 'ignore', env });
  writeFileSync(pidFile, String(child.pid));
  child.unref();
} else if (verb === 'stop' && pid() > 0) {
  process.kill(pid(), 'SIGTERM');
  while (pid() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  rmSync(pidFile);
}
