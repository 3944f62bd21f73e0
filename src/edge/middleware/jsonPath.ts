/**
 * A small part of JSONPath (RFC 9535): `$.messages[-1].content`, `$['a key'][0]`, `$.messages[*].content`. It reads own
 * fields of objects and elements of lists, nothing inherited, and runs no code.
 */
import { MonitorError } from '../../core/index.ts'

/** A path, ready to be followed. */
export interface JsonPath {
  readonly text: string
  readonly steps: readonly Step[]
}

/** A field, an element (from the end if negative), or every element. */
type Step = string | number | typeof EVERY

const EVERY = Symbol('every element')
const STEP = /\.([^\s.[\]'"*]+)|\[(-?\d{1,9})\]|\[\s*'((?:[^'\\]|\\.)*)'\s*\]|\[\s*"((?:[^"\\]|\\.)*)"\s*\]|(\[\*\])/y
const MAX_STEPS = 32

/** Throws `bad_config` at `path`. */
export function parseJsonPath(text: unknown, path: string): JsonPath {
  const steps: Step[] = []
  const wrong = (): never => {
    const known = "'$' and then .key, ['a key'], [0], [-1] or [*]"
    throw new MonitorError('bad_config', `must be ${known}, at most ${MAX_STEPS} of them`, path)
  }
  if (typeof text !== 'string' || !text.startsWith('$')) return wrong()
  const step = new RegExp(STEP)
  step.lastIndex = 1
  while (step.lastIndex < text.length) {
    const found = step.exec(text)
    if (found === null || steps.length === MAX_STEPS) return wrong()
    const [, name, index, single, double] = found
    const quoted = single ?? double
    if (name !== undefined) steps.push(name)
    else if (index !== undefined) steps.push(Number(index))
    else steps.push(quoted === undefined ? EVERY : quoted.replace(/\\(.)/g, '$1'))
  }
  return { text, steps }
}

/** What stands there; undefined where there is nothing. With `[*]` the list of what is found, undefined if that is none. */
export function find(root: unknown, { steps }: JsonPath): unknown {
  let found: readonly unknown[] = [root]
  for (const step of steps) found = found.flatMap((value) => childrenOf(value, step))
  if (!steps.includes(EVERY)) return found[0]
  return found.length === 0 ? undefined : found
}

/** The same JSON with something else at a path without `[*]` where something is; other parts are shared. */
export function replaced(root: unknown, { steps }: JsonPath, change: (value: unknown) => unknown): unknown {
  const [step, ...rest] = steps
  if (step === undefined) return change(root)
  const [child] = childrenOf(root, step)
  if (child === undefined) return root
  const next = replaced(child, { text: '', steps: rest }, change)
  if (Array.isArray(root)) return root.with(step as number, next)
  // A field called __proto__ stays a field.
  return Object.defineProperty({ ...(root as object) }, step, {
    value: next,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

/** None, one, or with `[*]` any number. */
function childrenOf(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    if (step === EVERY) return value
    const element = typeof step === 'number' ? value.at(step) : undefined
    return element === undefined ? [] : [element]
  }
  return typeof step === 'string' && Object.hasOwn(value, step) ? [(value as Record<string, unknown>)[step]] : []
}

/** True if it can have several results. */
export function isPlural({ steps }: JsonPath): boolean {
  return steps.includes(EVERY)
}
