import type { AnyStateMachine } from 'xstate';
import { authorityMachine } from './authority/machine.js';
import { serverCertificateMachine } from './authority/server-certificate.js';
import { cloneMachine } from './clone/machine.js';
import { deviceMachine } from './device/machine.js';
import { dispatchMachine } from './dispatch/machine.js';
import { executionMachine } from './execution/machine.js';
import { fanoutMachine } from './fanout/machine.js';
import { mediationMachine } from './mediation/machine.js';
import { pairingMachine } from './pairing/machine.js';
import { pluginProcessMachine } from './plugin-process/machine.js';
import { pruningMachine } from './pruning/machine.js';
import { renewalMachine } from './renewal/machine.js';
import { sessionMachine } from './session/machine.js';
import { surfaceMachine } from './surface/machine.js';
import { uplinkMachine } from './uplink/machine.js';

/** Every state machine of daemon and node host, by name: for charts, and for the tests that walk all of them. */
export const machines: Readonly<Record<string, AnyStateMachine>> = {
  clone: cloneMachine,
  authority: authorityMachine,
  device: deviceMachine,
  dispatch: dispatchMachine,
  execution: executionMachine,
  fanout: fanoutMachine,
  mediation: mediationMachine,
  pairing: pairingMachine,
  'plugin-process': pluginProcessMachine,
  pruning: pruningMachine,
  renewal: renewalMachine,
  'server-certificate': serverCertificateMachine,
  session: sessionMachine,
  surface: surfaceMachine,
  uplink: uplinkMachine,
};
