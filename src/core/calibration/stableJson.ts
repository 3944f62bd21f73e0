/** Plain data as text that does not depend on the order of keys, for hashes. */
import { elementType, isPlainObject } from '../checkers.ts'

/** JSON with its keys in order. A typed array is a list, a function the word `function`, undefined is left out. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => {
    if (typeof one === 'function') return '(function)'
    if (elementType(one) !== '') return Array.from(one as ArrayLike<number>)
    if (!isPlainObject(one)) return one
    return Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
