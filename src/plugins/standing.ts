/** The kinds of permissions that a plugin can be held to. */
export const permissionKinds = ['fileSystem', 'network', 'childProcesses', 'environment'] as const;
export type PermissionKind = (typeof permissionKinds)[number];

/** How a plugin is run, and what holds it to its permissions. */
export interface PluginStanding {
  readonly isolation: 'process' | 'inline';
  /** What it is held to by Node or the operating system; the other kinds are only declared. */
  readonly enforced: readonly PermissionKind[];
  /** Why it runs no more. */
  readonly disabled?: string;
}
