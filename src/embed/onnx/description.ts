/** Options as JSON, from which the same embedder can be made elsewhere. */
import { isPlainObject } from '../../core/index.ts'

/** `{ from, …options }` with URLs as text; undefined if an option is no JSON, such as a function or bytes. */
export function describeAs(from: string, options: object): Readonly<Record<string, unknown>> | undefined {
  const plain = toJson({ from, ...options })
  return plain === undefined ? undefined : (plain as Readonly<Record<string, unknown>>)
}

function toJson(value: unknown): unknown {
  if (value instanceof URL) return value.href
  if (['string', 'number', 'boolean'].includes(typeof value)) return value
  if (Array.isArray(value)) return all(value.map(toJson))
  if (!isPlainObject(value)) return undefined
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
  const parts = all(entries.map(([, part]) => toJson(part)))
  return parts && Object.fromEntries(entries.map(([key], i) => [key, parts[i]]))
}

function all(parts: readonly unknown[]): readonly unknown[] | undefined {
  return parts.includes(undefined) ? undefined : parts
}
