import type { QueryEvent } from './events.ts'

/** Largest change of a pixel at which two queries are nearly the same, in 1/255. */
export const NEAR = 20

export function isNear({ nearest }: QueryEvent): boolean {
  return nearest !== null && nearest.change <= NEAR
}
