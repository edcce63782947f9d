import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { parseJoinString } from '../../src/actors/identity/join-string.js';
import type { Mediator } from '../../src/actors/mediation/question.js';
import { type NodeHost, startNodeHost } from '../../src/node/node-host.js';
import { noRules, type PluginSource } from '../../src/node/plugin-rules.js';
import type { NodeReport } from '../../src/node/reporter.js';
import { bundledPlugins } from '../../src/plugins/bundled.js';
import type { HostServices } from '../../src/plugins/sdk/handler.js';
import { admin, type LocalDaemon } from './local-daemon.js';
import { preparedKeys } from './prepared-keys.js';

/** A person who allows everything. */
const willing: Mediator = {
  atOnce: 1,
  ask: (_request, _signal, answer) => answer({ answer: 'allow' }),
  close: () => {},
};

type ReportOf<E extends NodeReport['event']> = Extract<NodeReport, { event: E }>;

/** A real node host in this process, with a directory of its own. Its pairing is approved at once. */
export class LocalNode {
  readonly directory: string;
  readonly reports: NodeReport[] = [];
  /** Known from its first start on. */
  deviceId = '';
  readonly #local: LocalDaemon;
  readonly #name: string;
  readonly #services: HostServices;
  readonly #plugins: PluginSource;
  #host: NodeHost | undefined;
  #waiting: (() => void)[] = [];

  constructor(
    local: LocalDaemon,
    name: string,
    services: HostServices = { openUrl: async () => {} },
    plugins: PluginSource = { roots: [bundledPlugins()], rules: noRules },
  ) {
    this.#plugins = plugins;
    this.#local = local;
    this.#name = name;
    this.#services = services;
    this.directory = mkdtempSync(join(local.directory, `${name}-`));
  }

  /** Starts the host; the first time it pairs. */
  async start(joinString?: string): Promise<void> {
    this.#host = await startNodeHost(
      {
        stateDirectory: this.directory,
        pluginSource: this.#plugins,
        ...(joinString === undefined
          ? {}
          : { invitation: { method: 'join', join: parseJoinString(joinString) } }),
        services: this.#services,
        mediator: willing,
        log: { debug() {}, info() {}, warn() {}, error() {} },
        report: (report) => this.#note(report),
        drainMs: 1_000,
        keys: preparedKeys,
      },
      new AbortController().signal,
    );
    this.deviceId = this.#host.deviceId;
  }

  /** The first report of that kind from index `from` on, as soon as it is there. */
  async report<E extends NodeReport['event']>(event: E, from = 0): Promise<ReportOf<E>> {
    for (;;) {
      const found = this.reports.slice(from).find((report): report is ReportOf<E> => report.event === event);
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** How many reports of that kind there have been. */
  count(event: NodeReport['event']): number {
    return this.reports.filter((report) => report.event === event).length;
  }

  /** Waits until there have been so many reports of that kind. */
  async times(event: NodeReport['event'], times: number): Promise<void> {
    while (this.count(event) < times) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async stop(): Promise<void> {
    await this.#host?.stop('The test is over');
    this.#host = undefined;
  }

  #note(report: NodeReport): void {
    this.reports.push(report);
    for (const wake of this.#waiting.splice(0)) wake();
    if (report.event === 'pending_approval') void this.#approve(report.pairingId);
  }

  async #approve(pairingId: string): Promise<void> {
    const { pairings } = this.#local.daemon.control;
    const { transcript } = await pairings.get(admin, pairingId);
    await pairings.approve(admin, pairingId, { transcript, name: this.#name });
  }
}
