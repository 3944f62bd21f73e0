/** What Prometheus keeps of the texts that it reads: each series with its last values. */
import type { Selector } from './parse.ts'

export type Labels = Readonly<Record<string, string>>

/** A value at a time in seconds; `null` where the series was no longer told. */
export type Point = readonly [seconds: number, value: number | null]

/** A series with what is known of it. */
export interface Kept {
  readonly name: string
  readonly labels: Labels
  readonly points: Point[]
}

/** An older value does not count as the present one: the default of Prometheus. */
const LOOKBACK_SECONDS = 300

/** The latest values of every series. */
export class Samples {
  readonly #keepSeconds: number
  readonly #target: Labels
  readonly #series = new Map<string, Kept>()
  readonly #byName = new Map<string, Kept[]>()

  /** Keeps `keepSeconds`; `target` is put on every series, as a scrape does. */
  constructor(keepSeconds: number, target: Labels) {
    this.#keepSeconds = keepSeconds
    this.#target = target
  }

  /** Reads the text of `/metrics` as it was at a time in seconds, later than that before. */
  add(exposition: string, seconds: number): void {
    for (const { name, labels, value } of readExposition(exposition)) this.#put(name, labels, [seconds, value])
    this.#put('up', {}, [seconds, 1])
    for (const { points } of this.#series.values()) {
      const last = points.at(-1)!
      if (last[0] < seconds && last[1] !== null) points.push([seconds, null])
      while (points[0]![0] < seconds - this.#keepSeconds && points.length > 1) points.shift()
    }
  }

  #put(name: string, own: Labels, point: Point): void {
    const labels = { ...own, ...this.#target }
    const key = `${name} ${Object.entries(labels).sort().join()}`
    const known = this.#series.get(key)
    if (known !== undefined) {
      known.points.push(point)
      return
    }
    const made: Kept = { name, labels, points: [point] }
    this.#series.set(key, made)
    const same = this.#byName.get(name)
    if (same === undefined) this.#byName.set(name, [made])
    else same.push(made)
  }

  /** The series that a selector means. */
  find({ metric, matchers }: Selector): readonly Kept[] {
    const named = metric === '' ? [...this.#series.values()] : (this.#byName.get(metric) ?? [])
    return named.filter(({ name, labels }) => {
      return matchers.every(({ label, fits }) => fits(label === '__name__' ? name : (labels[label] ?? '')))
    })
  }

  /** The values of a label, sorted. */
  valuesOf(metric: string, label: string): string[] {
    const values = (this.#byName.get(metric) ?? []).map(({ labels }) => labels[label] ?? '')
    return [...new Set(values)].filter((value) => value !== '').sort()
  }
}

/** The present value at a time; undefined if there is none. */
export function valueAt({ points }: Kept, seconds: number): number | undefined {
  const found = points.findLast(([at]) => at <= seconds)
  if (found === undefined || found[0] <= seconds - LOOKBACK_SECONDS) return undefined
  return found[1] ?? undefined
}

/** The values from a time to another. */
export function pointsWithin(
  { points }: Kept,
  from: number,
  to: number,
): (readonly [seconds: number, value: number])[] {
  return points.filter((point): point is [number, number] => point[0] > from && point[0] <= to && point[1] !== null)
}

interface Read {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

const SERIES = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?[\d.]+(?:e[+-]?\d+)?)$/
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g

/** The values of a text in Prometheus' format 0.0.4. Throws a `SyntaxError` for a line that is none. */
export function readExposition(text: string): Read[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [, name, inside = '', value] = SERIES.exec(line) ?? []
    if (name === undefined) throw new SyntaxError(`is no line of metrics: ${line.slice(0, 200)}`)
    const labels = [...inside.matchAll(LABEL)].map(([, label, said]): [string, string] => [label!, unescaped(said!)])
    return { name, labels: Object.fromEntries(labels), value: numberOf(value!) }
  })
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
}

function numberOf(text: string): number {
  return text.endsWith('Inf') ? Number(text.replace('Inf', 'Infinity')) : Number(text)
}
