import { httpErrorCodes } from '../../contract/error-codes.js';
import { errorTable } from '../../kernel/errors.js';

/** Makes every error that the HTTP layer itself finds. */
export const httpError = errorTable('http', httpErrorCodes);

/** Statuses by code, where they are not those of the category. */
const statuses = new Map<string, number>(
  Object.entries(httpErrorCodes).flatMap(([code, definition]) =>
    'status' in definition ? [[`http.${code}`, definition.status] as const] : [],
  ),
);

/** The status of an error code that has one of its own. */
export function statusOfCode(code: string): number | undefined {
  return statuses.get(code);
}
