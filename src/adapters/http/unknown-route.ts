import { routeNames, routes } from '../../contract/route-table.js';
import type { AppError } from '../../kernel/errors.js';
import { didYouMean } from '../../kernel/nearest.js';
import { httpError } from './http-errors.js';

const known = routeNames.map((name) => {
  const { method, path } = routes[name];
  return {
    method,
    path,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/:[a-z]+/g, '[^/]+')}$`),
  };
});

/** The methods that a path takes; empty for a path that is no route. */
export function methodsOf(path: string): readonly string[] {
  return known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
}

/** The error for a request that no route takes: `http.method_not_allowed` for a known path, else `http.unknown_route`. */
export function unknownRoute(method: string, path: string, methods: readonly string[]): AppError {
  const shown = path.slice(0, 200);
  if (methods.length > 0) {
    return httpError('method_not_allowed', `${shown} does not take ${method}`, {
      hint: `It takes ${methods.join(' and ')}.`,
    });
  }
  const near = didYouMean(shown, new Set(known.map((route) => route.path)));
  return httpError('unknown_route', `There is no ${shown} here`, {
    hint: near ?? 'The API is under /v1.',
  });
}
