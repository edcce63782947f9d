import { problemError } from './plugin-errors.js';
import { schemaLimits } from './schema-limits.js';

/** One subschema: what it applies to the same value (`here`), and to values inside it. */
export interface SchemaNode {
  readonly here: SchemaNode[];
  readonly inside: SchemaNode[];
  readonly pointer: string;
}

/** Refuses references that come back to a schema without having looked into the value: checking would never end. */
export function refuseLoops(nodes: Iterable<SchemaNode>): void {
  const done = new Set<SchemaNode>();
  const open = new Set<SchemaNode>();
  const visit = (node: SchemaNode): void => {
    if (done.has(node)) return;
    if (open.has(node)) {
      const problem = 'refers back to itself without looking into the value, so checking would never end';
      const hint = 'Let it refer to itself from properties or items, which look into the value';
      throw problemError('schema_reference', { pointer: node.pointer, problem, hint });
    }
    open.add(node);
    for (const child of node.here) visit(child);
    open.delete(node);
    done.add(node);
  };
  for (const node of nodes) visit(node);
}

/**
 * Refuses a schema by the number of subschemas that one value can meet, references followed. Definitions that each use the next one twice double
 * it per step, which is how a small schema becomes hours of work.
 */
export function refuseCost(root: SchemaNode): void {
  const costs = new Map<SchemaNode, number>();
  const visit = (node: SchemaNode): number => {
    const known = costs.get(node);
    if (known !== undefined) return known;
    costs.set(node, 1);
    let cost = 1;
    for (const child of node.here) cost += visit(child);
    for (const child of node.inside) cost += visit(child);
    costs.set(node, cost);
    if (cost <= schemaLimits.steps) return cost;
    throw problemError('schema_too_costly', {
      pointer: node.pointer,
      problem: `takes more than ${schemaLimits.steps} steps to check one value, because its references multiply`,
      hint: 'Refer to each definition once, or write fewer alternatives',
    });
  };
  visit(root);
}
