/** Checks at the door. Behind it values are trusted. */
import { type ErrorCode, MonitorError } from './errors.ts'

const MAX_SHOWN = 60

/** A value in words for an error message: short, and never the whole input. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value)
  }
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return `an object (${tagOf(value)})`
  return String(value)
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}

/** Throws `code` at `path`: what was expected, and what came. */
export function refuse(code: ErrorCode, expected: string, got: unknown, path: string): never {
  throw new MonitorError(code, `${expected}, got ${show(got)}`, path)
}

/** A finite number in [min, max]. */
export function checkNumber(
  value: unknown,
  { min = -Infinity, max = Infinity, integer = false }: { min?: number; max?: number; integer?: boolean },
  path: string,
  code: ErrorCode = 'bad_config',
): number {
  const ok = typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max
  if (!ok || (integer && !Number.isInteger(value))) {
    refuse(code, `must be ${integer ? 'a whole' : 'a finite'} number in [${min}, ${max}]`, value, path)
  }
  return value as number
}

/** One of a list of words. */
export function checkChoice<T extends string>(value: unknown, choices: readonly T[], path: string): T {
  if (!choices.includes(value as T)) {
    refuse('bad_config', `must be one of ${choices.map((c) => `'${c}'`).join(', ')}`, value, path)
  }
  return value as T
}

/** A function, or nothing. */
export function checkFunction<F>(value: F | undefined, path: string): F | undefined {
  if (value !== undefined && typeof value !== 'function') refuse('bad_config', 'must be a function', value, path)
  return value
}

/** A plain object: made by a literal, `JSON.parse` or `Object.create(null)`; not an array, not a class instance. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === null || Object.getPrototypeOf(proto) === null
}

/** A plain object whose keys are all known; names the nearest known key in the error. Never reads inherited keys. */
export function checkObject(
  value: unknown,
  keys: readonly string[],
  path: string,
  code: ErrorCode = 'bad_config',
): Readonly<Record<string, unknown>> {
  if (!isPlainObject(value)) refuse(code, 'must be a plain object', value, path)
  for (const key of Object.keys(value)) {
    if (keys.includes(key)) continue
    const hint = nearestName(key, keys)
    const remedy = hint === undefined ? `known are ${keys.join(', ')}` : `did you mean '${hint}'?`
    throw new MonitorError(code, `unknown key ${show(key)}; ${remedy}`, path === '' ? key : `${path}.${key}`)
  }
  return value
}

/** True when every surrogate of the string has its partner. */
export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0xd800 || code > 0xdfff) continue
    if (code > 0xdbff) return false
    const next = text.charCodeAt(++i)
    if (!(next >= 0xdc00 && next <= 0xdfff)) return false
  }
  return true
}

/** The known name within edit distance 3 of a mistyped one, case ignored; `undefined` if none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > 64) return undefined
  let best: string | undefined
  let bestDistance = 4
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
