import { acceptedEvents, stateDescription } from '../kernel/acceptance.js';
import type { VerifiedCaller } from '../kernel/authority.js';
import type { Clock } from '../kernel/clock.js';
import type { Directory } from '../kernel/directory.js';
import { type Explanation, explain } from '../kernel/explain.js';
import type { Store } from '../kernel/store.js';
import { dispatchAddress, fanoutAddress, pairingAddress, sessionAddress } from './addresses.js';
import { alertsOf } from './clone/alerts.js';
import { barOf } from './device/bars.js';
import type { Devices } from './device/devices.js';
import { deviceMachine } from './device/machine.js';
import type { DeviceRecord } from './device/record.js';
import type { CompiledSurface } from './device/surface.js';
import { trustOf } from './device/trust.js';
import type { Dispatches } from './dispatch/dispatches.js';
import type { DispatchFeeds } from './dispatch/feeds.js';
import type { LiveDispatches } from './dispatch/live.js';
import { dispatchMachine } from './dispatch/machine.js';
import type { DispatchRecord } from './dispatch/record.js';
import { historyOf } from './dispatch/steps.js';
import { dispatchNotes, droppedProgressNotes, strayNotes } from './dispatch/story.js';
import { findNode } from './dispatch/targets.js';
import type { ExplainControl, ExplanationView } from './explanation-view.js';
import type { Fanouts } from './fanout/fanouts.js';
import { fanoutMachine } from './fanout/machine.js';
import { isFanoutOver } from './fanout/record.js';
import { idPattern } from './ids.js';
import { journalOf } from './own-journal.js';
import { pairingMachine } from './pairing/machine.js';
import type { Pairings } from './pairing/pairings.js';
import type { PairingView } from './pairing/view.js';
import { presenceOf } from './session/presence.js';
import type { Sessions } from './session/sessions.js';

export interface ExplanationsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly directory: Directory;
  readonly devices: Devices;
  readonly sessions: Sessions;
  readonly dispatches: Dispatches;
  readonly fanouts: Fanouts;
  readonly feeds: DispatchFeeds;
  readonly live: LiveDispatches;
  readonly pairings: Pairings;
  readonly surface: CompiledSurface;
}

/**
 * Explains dispatches, fan-outs, pairings and nodes to operators: the kernel's explanation of the actor and its record, and what the
 * rest of the daemon knows that bears on it.
 */
export class Explanations implements ExplainControl {
  readonly #options: ExplanationsOptions;

  constructor(options: ExplanationsOptions) {
    this.#options = options;
  }

  async explain(caller: VerifiedCaller, subject: string): Promise<ExplanationView> {
    if (idPattern('dp').test(subject))
      return this.#dispatch(await this.#options.dispatches.get(caller, subject));
    if (idPattern('fo').test(subject)) return this.#fanout(caller, subject);
    if (idPattern('pr').test(subject)) return this.#pairing(subject);
    const { devices } = this.#options;
    // Also one of which nothing but the id is left, when that is named in full.
    const exact = devices.get(subject.replaceAll('-', '').toUpperCase());
    return this.#node(exact ?? findNode(devices, subject));
  }

  async #dispatch(record: DispatchRecord): Promise<ExplanationView> {
    const { id, state, capability, deviceId } = record;
    const history = historyOf(record);
    const since = record.steps.findLast((step) => step.to === state)?.at ?? record.createdAt;
    const recorded = { state, since, history, machine: dispatchMachine };
    const device = this.#options.devices.get(deviceId);
    const notes = [
      ...(device && record.finishedAt === undefined ? [this.#presence(device)] : []),
      ...dispatchNotes(record),
    ];
    const title = `${capability} on ${device?.name ?? deviceId}`;
    const explanation = await explain(this.#options, dispatchAddress(id), recorded);
    return view({ kind: 'dispatch', id, title, notes }, explanation);
  }

  async #fanout(caller: VerifiedCaller, id: string): Promise<ExplanationView> {
    const { state, steps, capability, selector, counts, createdAt, ...fanout } =
      await this.#options.fanouts.get(caller, id);
    const history = journalOf(steps, () => true);
    const since = steps.findLast((step) => step.to === state)?.at ?? createdAt;
    const targets = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
    const notes = [
      `${fanout.caller} asked for it`,
      `Its targets: ${targets.join(', ')}, at most ${fanout.batch} at a time`,
    ];
    const title = `${capability} on ${selector || 'every node'}`;
    // Its machine ends in one state, whichever end the record tells.
    const recorded = { state: isFanoutOver(state) ? 'ended' : state, since, history, machine: fanoutMachine };
    const explanation = await explain(this.#options, fanoutAddress(id), recorded);
    return view({ kind: 'fanout', id, title, notes }, { ...explanation, state });
  }

  async #pairing(id: string): Promise<ExplanationView> {
    const { pairings, store } = this.#options;
    const record = pairings.require(id);
    const history = await store.history('pairing', id);
    const { state } = record;
    const since = history.findLast((entry) => entry.from !== entry.to && entry.to === state)?.at;
    const recorded = { state, since: since ?? record.createdAt, history, machine: pairingMachine };
    const title = `${record.proposedName || 'a machine'} from ${record.peerAddress}`;
    const explanation = await explain(this.#options, pairingAddress(id), recorded);
    return view({ kind: 'pairing', id, title, notes: pairingNotes(record) }, explanation);
  }

  /** Of a node its trust is explained, and its session, if it has one. */
  async #node(device: DeviceRecord): Promise<ExplanationView> {
    const { store, live, clock, directory } = this.#options;
    const history = await store.history('device', device.id);
    const session = await explain(this.#options, sessionAddress(device.id));
    const unfinished = live.countOf(device.id);
    const notes = [
      this.#presence(device),
      ...(unfinished === 0
        ? []
        : [`${unfinished} unfinished ${unfinished === 1 ? 'dispatch' : 'dispatches'}`]),
      ...this.#pendingNotes(device),
      ...strayNotes(this.#options.dispatches.lateResultsOf(device.id)),
      ...droppedProgressNotes(this.#options.feeds.droppedOf(device.id)),
      ...alertsOf(device).map(({ message }) => message),
    ];
    const about = { kind: 'node', id: device.id, title: device.name || device.id, notes } as const;
    const trust = trustOf(device, clock.now());
    return view(about, {
      ...(session ?? withoutSession),
      description: session?.description ?? standing(device),
      accepts: [...(session?.accepts ?? []), ...acceptedEvents(deviceMachine, device.state)],
      address: session?.address ?? sessionAddress(device.id),
      state: trust,
      actorState: directory.has(sessionAddress(device.id)) ? session?.actorState : undefined,
      ended: false,
      since: history.findLast((entry) => entry.to === device.state && entry.from !== entry.to)?.at,
      history: [...history, ...(session?.history ?? [])],
    });
  }

  #pendingNotes(device: DeviceRecord): readonly string[] {
    if (device.state !== 'trusted') return [];
    const pending = device.offered.filter(
      (offered) => this.#options.surface.state(device, offered) === 'pending',
    );
    if (pending.length === 0) return [];
    const names = pending.map(({ capability }) => capability).slice(0, 8);
    return [`Waits for approval, so nobody can call it: ${names.join(', ')}`];
  }

  #presence(device: DeviceRecord): string {
    const { sessions, clock } = this.#options;
    const session = sessions.live(device.id);
    const presence = presenceOf(session, clock.monotonic());
    if (presence === 'online') {
      return `Node ${device.name} is online, with ${sessions.inFlight(device.id)} dispatches under way`;
    }
    const seenAt = session?.seenAt ?? device.lastSeenAt;
    const seen = seenAt === undefined ? 'never seen' : `last seen ${new Date(seenAt).toISOString()}`;
    return `Node ${device.name} is ${presence}, ${seen}`;
  }
}

const withoutSession = {
  deadlines: [],
  next: undefined,
} as const;

/** What a device without a session waits for. */
function standing(device: DeviceRecord): string {
  const bar = barOf(device);
  if (bar) return `${stateDescription(deviceMachine, device.state)}. ${bar.by} decided it: ${bar.reason}`;
  if (device.state !== 'trusted') return stateDescription(deviceMachine, device.state);
  return 'It has no session: the node host connects by itself when it runs and reaches the node port';
}

function pairingNotes({ purpose, alerts }: Pick<PairingView, 'purpose' | 'alerts'>): readonly string[] {
  return [...(purpose === '' ? [] : [`Its code was minted for: ${purpose}`]), ...alerts];
}

function view(
  about: Pick<ExplanationView, 'kind' | 'id' | 'title' | 'notes'>,
  { actorState, since, next, deadlines, ...explanation }: Explanation,
): ExplanationView {
  return {
    ...about,
    ...explanation,
    deadlines: deadlines.map(({ inMs: _inMs, ...deadline }) => deadline),
    ...(actorState === undefined ? {} : { actorState }),
    ...(since === undefined ? {} : { since }),
    ...(next === undefined ? {} : { next }),
  };
}
