// The demo: a daemon and a node host as separate processes over real mTLS, told as a story.
//
//   npm run demo             stays up until Ctrl-C, so that you can try the commands that it prints
//   npm run demo -- --once   ends when everything has been shown; exit code 0
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';

const root = fileURLToPath(new URL('..', import.meta.url));
const once = process.argv.includes('--once');
const directory = await mkdtemp(join(tmpdir(), 'palyra-demo-'));
const opened = join(directory, 'opened-pages.txt');
const env = {
  ...process.env,
  PALYRA_STATE_DIR: join(directory, 'daemon'),
  PALYRA_NODE_STATE_DIR: join(directory, 'node'),
};
delete env.PALYRA_CONFIG;
delete env.PALYRA_URL;
delete env.PALYRA_TOKEN_FILE;

const running = [];
let chapter = 0;

function say(text = '') {
  process.stdout.write(`${text}\n`);
}

/** One step of the story: what happens, how long it took, and what there is to see. */
async function step(title, work) {
  chapter += 1;
  const started = performance.now();
  const lines = await work();
  const ms = performance.now() - started;
  const took = ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
  say(`${pc.bold(`${chapter}. ${title}`)} ${pc.dim(`(${took})`)}`);
  for (const line of [lines].flat().filter(Boolean)) say(`   ${line}`);
}

/** Starts a program that prints JSON lines; `event` waits for one of them. */
function program(script, args, variables = {}) {
  const child = spawn(process.execPath, [join(root, script), ...args], {
    env: { ...env, ...variables },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const messages = [];
  const waiting = [];
  let errors = '';
  const wake = () => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    messages.push(JSON.parse(line));
    wake();
  });
  const exited = new Promise((resolve) => child.on('close', resolve));
  exited.then(wake);
  running.push({ child, exited });
  return {
    child,
    say: (message) => child.stdin.write(`${JSON.stringify(message)}\n`),
    async event(name) {
      for (;;) {
        const found = messages.find((message) => message.event === name);
        if (found) return found;
        if (child.exitCode !== null) throw new Error(`${script} ended before "${name}":\n${errors}`);
        await new Promise((resolve) => waiting.push(resolve));
      }
    },
  };
}

/** Runs an operator's command, as a person would type it, and returns what it prints as JSON. */
async function palyra(...args) {
  const child = spawn(process.execPath, [join(root, 'dist/src/cli/palyra.js'), ...args, '--json'], { env });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stdin.end();
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`palyra ${args.join(' ')} ended with ${code}: ${out}`);
  return JSON.parse(out);
}

/** Ends everything; tells whether all ended by themselves when they were asked to. */
async function stopAll() {
  let gracefully = true;
  // The node first, so that it can say goodbye. Who does not end in time is ended.
  for (const { child, exited } of running.reverse()) {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    gracefully = (await exited) === 0 && gracefully;
    clearTimeout(timer);
  }
  await rm(directory, { recursive: true, force: true });
  return gracefully;
}

async function story() {
  say(pc.bold('Palyra: a daemon, a machine that joins it, and three capabilities'));
  say(pc.dim(`Everything is real: two processes, TLS 1.3 on loopback, SQLite in ${directory}`));
  say();

  let daemon;
  let enrolment;
  await step('The daemon starts', async () => {
    daemon = program('dist/src/daemon/palyrad.js', [
      '--json',
      '--http-port',
      '0',
      '--enroll-port',
      '0',
      '--node-port',
      '0',
    ]);
    const ready = await daemon.event('ready');
    enrolment = ready.enrollment;
    return [
      `control plane ${ready.http}, enrolment ${ready.enrollment}, nodes ${ready.node}`,
      `its new certificate authority is ${ready.caFingerprint.slice(0, 16)}…`,
    ];
  });

  let invitation;
  await step('The operator invites a machine: palyra pair --pin', async () => {
    invitation = await palyra('pair', '--pin', '--purpose', 'demo', '--label', 'room=lab');
    return [
      `${pc.bold(invitation.pin)}, good for one machine and a few minutes`,
      'The six digits never cross the wire: both sides prove that they know them (SPAKE2).',
    ];
  });

  let node;
  let asked;
  await step(`The machine asks to join: palyra node run --pin ${enrolment}`, async () => {
    // A person types the PIN; a program hands it over in a variable.
    const args = ['node', 'run', '--pin', enrolment, '--json', '--record-urls', opened];
    node = program('dist/src/cli/palyra.js', args, { PALYRA_PIN: invitation.pin });
    asked = await node.event('pending_approval');
    return [
      'It made its keys itself; only public keys and signatures left it.',
      `It shows the words ${pc.cyan(asked.fingerprintWords.join(' '))}`,
    ];
  });

  let name;
  await step('The operator compares the words and approves: palyra pairings approve', async () => {
    const { pairings } = await palyra('pairings', 'list');
    const request = pairings.find((pairing) => pairing.id === asked.pairingId);
    if (request.fingerprintWords.join() !== asked.fingerprintWords.join())
      throw new Error('The words differ');
    const wants = request.requested.map((one) => one.capability).join(', ');
    const approved = await palyra('pairings', 'approve', request.id, '--yes', '--name', 'demo-node');
    name = approved.decision.name;
    return [`The same words: ${pc.cyan(request.fingerprintWords.join(' '))}. It may run ${wants}.`];
  });

  await step('The machine stores its certificate and connects over mTLS', async () => {
    const connected = await node.event('connected');
    return `${connected.name} is online, session epoch ${connected.epoch}`;
  });

  await step(`palyra invoke ${name} echo`, async () => {
    const run = await palyra('invoke', name, 'echo', '--input', '{"message":"Hello from the other process"}');
    return `${pc.green(run.state)}: ${run.outcome.output.message} ${pc.dim(`(the handler took ${run.outcome.durationMs.toFixed(2)} ms)`)}`;
  });

  await step(`palyra invoke ${name} system.health`, async () => {
    const { state, outcome } = await palyra('invoke', name, 'system.health');
    const { memory, uptimeSeconds, cpu } = outcome.output;
    const gib = (bytes) => (bytes / 2 ** 30).toFixed(1);
    return `${pc.green(state)}: ${cpu.cores} cores, ${gib(memory.availableBytes)} of ${gib(memory.totalBytes)} GiB free, up ${Math.round(uptimeSeconds / 60)} min`;
  });

  await step(`palyra invoke ${name} desktop.open_url`, async () => {
    const run = palyra('invoke', name, 'desktop.open_url', '--input', '{"url":"https://example.com/"}');
    const question = await node.event('mediation');
    node.say({ answer: 'allow', dispatchId: question.dispatchId });
    const { state } = await run;
    const pages = (await readFile(opened, 'utf8')).trim();
    return [
      `The node asked its owner: may ${question.caller} open ${question.input.url}? The owner said yes.`,
      `${pc.green(state)}: ${pages} ${pc.dim('(recorded instead of shown, so that the demo needs no browser)')}`,
    ];
  });

  await step('What the operator sees: palyra inventory', async () => {
    const { devices } = await palyra('inventory');
    return devices.map(
      (one) =>
        `${one.name}  ${one.trust}  ${one.presence}  ${one.capabilities.map((c) => c.capability).join(', ')}`,
    );
  });
  say();
}

let stopping;
const stop = () => {
  stopping ??= stopAll();
  return stopping;
};
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => stop().then(() => process.exit(0)));
}
try {
  await story();
  if (once) {
    if (!(await stop())) throw new Error('A process did not end by itself');
    say('Both processes have stopped by themselves and the directory is gone.');
  } else {
    say('The daemon and the node stay up until Ctrl-C. Try in another terminal:');
    say(`  export PALYRA_STATE_DIR=${env.PALYRA_STATE_DIR}`);
    say('  node dist/src/cli/palyra.js invoke demo-node echo --input \'{"message":"hi"}\'');
    say('  node dist/src/cli/palyra.js inventory');
  }
} catch (error) {
  await stop();
  console.error(pc.red(error.message));
  process.exitCode = 1;
}
