/** What a law looks at: each throws with what was expected and what came. */
import { isMonitorError, type PlainData, toBytes } from '../core/index.ts'

export function holds(condition: boolean, expected: string): void {
  if (!condition) throw new Error(`expected ${expected}`)
}

export function same(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [keyOf(actual), keyOf(expected)]
  if (a.length !== b.length || a.some((byte, i) => byte !== b[i])) {
    throw new Error(
      `${what} differs: expected ${JSON.stringify(expected)?.slice(0, 400)}, got ${JSON.stringify(actual)?.slice(0, 400)}`,
    )
  }
}

/** Any plain data as comparable bytes: −0 and 0, and 32- and 64-bit floats, are different. */
function keyOf(value: unknown): Uint8Array {
  return toBytes({ detector: '', version: 0, state: value as PlainData })
}

export function refused(call: () => unknown, code: string, what: string): void {
  try {
    call()
  } catch (thrown) {
    holds(isMonitorError(thrown) && thrown.code === code, `${code} for ${what}, got ${String(thrown)}`)
    return
  }
  throw new Error(`expected ${code} for ${what}, but it was accepted`)
}

export function without(object: Readonly<Record<string, PlainData>>, key: string): Record<string, PlainData> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
}

/** Overwrites every number, string and element that can be reached. */
export function scribble(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  if (ArrayBuffer.isView(value)) {
    new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(0x55)
    return
  }
  const object = value as Record<string, unknown>
  for (const key of Object.keys(object)) {
    scribble(object[key])
    if (typeof object[key] !== 'object') object[key] = typeof object[key] === 'number' ? -12345 : 'scribble'
  }
}
