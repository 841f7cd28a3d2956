import type { components } from './schema';

/** A problem as the api tells it (RFC 9457). */
export type Problem = components['schemas']['Problem'];

/** What the api answers that is no success. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
  }

  /** What the api says of one field, if it says anything. */
  field(name: string): string | undefined {
    return this.problem.errors?.find((error) => error.field === name)?.detail;
  }
}

/** The problem of a failed answer; a network failure has no answer at all. */
export function problemOf(error: unknown): Partial<Problem> {
  if (error instanceof ApiError) return error.problem;
  return { detail: error instanceof Error ? error.message : String(error) };
}

/** What a failed answer says of one field, if it says anything; `of` stands before the field's name there. */
export const wrongIn =
  (error: unknown, of = '') =>
  (name: string): string | undefined =>
    error instanceof ApiError ? error.field(of + name) : undefined;
