/** What to type, and what it does. */
export type Examples = readonly (readonly [command: string, what: string])[];

/** The examples that stand below the help of a command. */
export function examples(...list: Examples): string {
  return ['', 'Examples:', ...list.flatMap(([command, what]) => [`  $ ${command}`, `      ${what}`])].join(
    '\n',
  );
}
