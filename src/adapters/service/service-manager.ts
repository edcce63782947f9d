/** A program that runs as a service. Everything in it is absolute: a service has no folder that it was started in. */
export interface ServiceSpec {
  /** What its manager knows it by: `palyra-node`. Letters, digits and dashes. */
  readonly name: string;
  readonly description: string;
  /** The program and its arguments, one each: no shell reads them. */
  readonly command: readonly [program: string, ...args: string[]];
  /** The directory that the program locks while it runs. */
  readonly stateDirectory: string;
  /** How long it may take to end when it is asked to, milliseconds; then it is killed. */
  readonly stopMs: number;
}

/** The managers that there are. `detached`: a process of its own that nobody starts again. */
export const managerKinds = ['systemd', 'launchd', 'detached'] as const;
export type ManagerKind = (typeof managerKinds)[number];

/**
 * What a manager says of a service. `waiting`: it has ended and is to be started again by itself. The program may be up without
 * its manager: whoever holds the state directory is known by `hostHolder`.
 */
export interface ServiceState {
  readonly state: 'running' | 'waiting' | 'stopped';
  /** Of the program, while it runs. */
  readonly pid?: number;
  /** What more the manager says, such as how the last run ended. */
  readonly detail?: string;
}

/** How a service has ended. */
export type Stopped = 'stopped' | 'killed' | 'was not running';

/**
 * Who keeps a program running in the background for the user of this process.
 *
 * Each call may be made again after it was broken off. Nothing but what {@link ServiceManager.files} names is made or deleted.
 */
export interface ServiceManager {
  readonly kind: ManagerKind;
  /** The files that installing writes, absolute. */
  readonly files: readonly string[];
  /**
   * Makes the service known and has it start with the session of the user, where the manager can. Does not start it.
   *
   * @throws AppError `service.manager_failed`, `service.bad_path` for a path that the manager can't be told.
   */
  install(): Promise<'created' | 'changed' | 'unchanged'>;
  /** Forgets the service, which must not run. @returns the files that were deleted. @throws AppError `service.manager_failed`. */
  uninstall(): Promise<readonly string[]>;
  /** Starts it if it does not run, and does not wait for it to be up. @throws AppError `service.manager_failed`. */
  start(): Promise<void>;
  /** Asks it to end, waits, and kills it in the end. @throws AppError `service.manager_failed`, `service.still_running`. */
  stop(): Promise<Stopped>;
  state(): Promise<ServiceState>;
}
