import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createContext, runInContext } from 'node:vm';

/** What Mermaid itself understood of a state diagram. */
export interface ParsedDiagram {
  readonly states: readonly {
    readonly id: string;
    readonly label: string;
    readonly lines: readonly string[];
  }[];
  readonly arrows: readonly { readonly from: string; readonly to: string; readonly label: string }[];
}

interface Mermaid {
  parse(text: string): Promise<{ readonly diagramType: string }>;
  readonly mermaidAPI: {
    getDiagramFromText(text: string): Promise<{
      readonly db: {
        getData(): {
          readonly nodes: readonly {
            readonly id: string;
            readonly label?: string;
            readonly description?: readonly string[] | null;
          }[];
          readonly edges: readonly {
            readonly start: string;
            readonly end: string;
            readonly label?: string | null;
          }[];
        };
      };
    }>;
  };
}

/**
 * Mermaid's parser without a browser: it asks a page for nothing but the cleaning of HTML, which stands in a world of its
 * own here, where every function "cleans" by doing nothing.
 */
function load(): Mermaid {
  const world = createContext({ console, structuredClone, setTimeout, URL });
  const shim = 'Function.prototype.addHook = () => {}; Function.prototype.sanitize = (text) => text;';
  runInContext(shim, world);
  runInContext(readFileSync(createRequire(import.meta.url).resolve('@mermaid-js/tiny'), 'utf8'), world);
  return (world as unknown as { readonly mermaid: Mermaid }).mermaid;
}

let mermaid: Mermaid | undefined;

/** Mermaid keeps character numbers apart from what it could misread until it draws. */
function decoded(text: string | null | undefined): string {
  return (text ?? '')
    .replace(/ﬂ°°(\d+)¶ß/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('\u00a0', ' ');
}

/** Reads a diagram as Mermaid does; throws its error when it does not parse. */
export async function parseMermaid(text: string): Promise<ParsedDiagram> {
  mermaid ??= load();
  await mermaid.parse(text);
  const { nodes, edges } = (await mermaid.mermaidAPI.getDiagramFromText(text)).db.getData();
  return {
    states: nodes.map(({ id, label, description }) => ({
      id,
      label: decoded(label),
      lines: (description ?? []).map(decoded),
    })),
    arrows: edges.map(({ start, end, label }) => ({ from: start, to: end, label: decoded(label) })),
  };
}
