/** Why it could not be shown that a schema takes all that another one takes. */
export interface Gap {
  /** Where in the value, as `url` or `tags/*`; '' is the whole value. */
  readonly place: string;
  /** JSON pointer of the schema that was to take all. */
  readonly pointer: string;
  /** Its keyword; `false` when it takes nothing there. */
  readonly rule: string;
  /** The rule was understood, and the other schema does not keep it. Otherwise nobody knows. */
  readonly isUnderstood: boolean;
  /** What the rule says, as far as the other schema breaks it. */
  readonly limit?: unknown;
  /** What the other schema says in its place; left out when that is nothing. */
  readonly actual?: unknown;
}
