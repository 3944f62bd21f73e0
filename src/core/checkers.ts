/** Checks at the door. Behind it values are trusted. */
import { type ErrorCode, MonitorError } from './errors.ts'

const MAX_SHOWN = 60

/** A value in words for an error message: short, and never the whole input. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value)
  }
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' && value !== null ? `an object (${tagOf(value)})` : String(value)
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}

/** The getter that typed arrays of all realms share: it tells the class of any of them, and undefined of all else. */
const classOfArray = /* @__PURE__ */ Object.getOwnPropertyDescriptor(
  /* @__PURE__ */ Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!

/** The name of a typed array's class, '' for anything else. Not by `instanceof`, which fails for one of another realm. */
export function elementType(value: unknown): string {
  return (classOfArray.call(value) as string | undefined) ?? ''
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
  const number = value as number
  const isKind = integer ? Number.isInteger(value) : Number.isFinite(value)
  if (!(isKind && number >= min && number <= max)) {
    refuse(code, `must be ${integer ? 'a whole' : 'a finite'} number in [${min}, ${max}]`, value, path)
  }
  return number
}

/** What {@link checkNumbers} accepts: an array of 1 … `most` numbers, each in [min, max]. */
export interface NumbersRule {
  readonly most: number
  readonly min: number
  readonly max: number
  /** Follows what is said of a bad number. */
  readonly remedy?: string
}

/** How many numbers what should be a list of them has; 0 for what is none. */
export function lengthOf(list: unknown): number {
  const length = (list as Partial<ArrayLike<unknown>> | null | undefined)?.length
  return typeof length === 'number' ? length : 0
}

/** An array of numbers as the rule says. Returns their sum; throws `bad_query`. */
export function checkNumbers(list: unknown, { most, min, max, remedy = '' }: NumbersRule, path: string): number {
  const values = (typeof list === 'object' && list !== null ? list : {}) as ArrayLike<unknown>
  const { length } = values
  if (!(Number.isInteger(length) && length >= 1 && length <= most)) {
    const unwrap = 'data' in values ? '; of a tensor pass its data' : ''
    refuse('bad_query', `must be an array of 1 … ${most} numbers${unwrap}`, length ?? list, path)
  }
  let sum = 0
  for (let i = 0; i < length; i++) {
    const value = values[i]
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      refuse(
        'bad_query',
        `must be a finite number in [${min}, ${max}]${remedyFor(value) ?? remedy}`,
        value,
        `${path}[${i}]`,
      )
    }
    sum += value
  }
  return sum
}

/** For what runtimes of models give out beside plain lists of numbers. */
function remedyFor(value: unknown): string | undefined {
  if (typeof value === 'bigint') return '; make numbers of them: Array.from(list, Number)'
  return typeof value === 'object' && value !== null ? '; pass the rows of a batch one by one' : undefined
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
  if (typeof value !== 'object' || value === null) return false
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
    throw new MonitorError(code, `unknown key ${show(key)}; ${hint(key, keys)}`, path === '' ? key : `${path}.${key}`)
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

/** The remedy for an unknown name: the nearest known one within edit distance 3 and half its length, case ignored, or else all of them. */
export function hint(name: unknown, known: readonly string[]): string {
  const given = typeof name === 'string' && name.length <= 64 ? name.toLowerCase() : undefined
  let best = ''
  let bestDistance = 4
  for (const candidate of known) {
    const distance = given === undefined ? bestDistance : editDistance(given, candidate.toLowerCase())
    if (distance < bestDistance && distance <= candidate.length / 2) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === '' ? `known are ${known.join(', ')}` : `did you mean '${best}'?`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
