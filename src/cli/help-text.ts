/** The examples that stand below the help of a command: what to type, and what it does. */
export function examples(...list: readonly (readonly [command: string, what: string])[]): string {
  return ['', 'Examples:', ...list.flatMap(([command, what]) => [`  $ ${command}`, `      ${what}`])].join(
    '\n',
  );
}
