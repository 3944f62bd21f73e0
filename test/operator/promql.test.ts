/** The expressions of the dashboard as the demo page evaluates them, against a real Prometheus with the same past. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boardOf, filled } from '../../demo/operator/course.ts'
import { evaluate } from '../../demo/operator/promql/evaluate.ts'
import { growthOf, quantileOf } from '../../demo/operator/promql/functions.ts'
import { parse } from '../../demo/operator/promql/parse.ts'
import { readExposition, Samples } from '../../demo/operator/promql/samples.ts'
import { ROWS } from '../../deploy/grafana/rows.ts'
import { type BackfilledPrometheus, type Scrape, startBackfilled } from '../tools/backfill.ts'
import { readDashboard } from '../tools/promql.ts'
import { random as seeded } from '../tools/random.ts'
import { testServer } from '../tools/serverApp.ts'

const TARGET = { job: 'monitaur', instance: 'page' }
const SECONDS = 60
/** Off the grid of the scrapes, where ends of ranges are counted alike by every version of Prometheus. */
const LOOKS = [4.25, 9.5, 20.5, 47.25, 59.5]
const UNITS = ['nats', 'count', 'cosine']
const start = Math.floor(Date.now() / 1000 / 7200) * 7200 - 7200

const expressions = ROWS.flatMap(({ panels }) => panels).flatMap((panel) => {
  const lines = 'lines' in panel ? panel.lines.map(([, expression]) => expression) : [panel.expression]
  return lines.flatMap((line) => {
    return [...new Set(UNITS.map((unit) => filled(line, unit)))].map((expression) => ({
      title: panel.title,
      expression,
    }))
  })
})

/** A server under traffic that grows, falls silent and comes back, and is started anew once. */
async function traffic(): Promise<Scrape[]> {
  const config = {
    detectors: ['confidence', { name: 'text_repetition', threshold: 3 }, 'text_similarity'],
    policy: { mode: 'enforce', throttleAt: 4, suspendAt: 8 },
  }
  const random = seeded(3)
  let server = await testServer(config)
  const scrapes: Scrape[] = []
  for (let second = 0; second < SECONDS; second++) {
    if (second === 40) server = await testServer(config)
    const count = second > 25 && second < 32 ? 0 : Math.floor(6 * random())
    for (let i = 0; i < count; i++) {
      const p = random()
      const text = random() < 0.4 ? 'the same again' : `question ${Math.floor(1e6 * random())}`
      const model_output = random() < 0.1 ? [0, 0] : [p, 1 - p]
      await server.ask('/detect', { input_data: text, model_output, client_id: `user ${Math.floor(40 * random())}` })
    }
    scrapes.push({ seconds: start + second, exposition: (await server.exposition()) + processAt(second) })
  }
  return scrapes
}

/** The process, which a server in a test does not measure. */
function processAt(second: number): string {
  return [
    `process_cpu_seconds_total ${(0.3 * second).toFixed(3)}`,
    `process_resident_memory_bytes ${1e8 + 1000 * second}`,
    `nodejs_heap_size_used_bytes 50000000`,
    `nodejs_eventloop_lag_p99_seconds 0.0${second + 10}`,
    `process_start_time_seconds ${start - 100}\n`,
  ].join('\n')
}

let scrapes: Scrape[]
let prometheus: BackfilledPrometheus
const folder = mkdtempSync(join(tmpdir(), 'monitaur-promql-'))

beforeAll(async () => {
  scrapes = await traffic()
  prometheus = await startBackfilled(folder, scrapes, TARGET)
})

afterAll(async () => {
  await prometheus?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** What we know at a time. */
function samplesUntil(seconds: number): Samples {
  const samples = new Samples(600, TARGET)
  for (const scrape of scrapes) if (scrape.seconds <= seconds) samples.add(scrape.exposition, scrape.seconds)
  return samples
}

const sorted = (elements: readonly { readonly labels: object; readonly value: number }[]) => {
  return elements
    .map(({ labels, value }) => ({ key: JSON.stringify(Object.entries(labels).sort()), value }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}

describe('every expression of the dashboard', () => {
  test('gives what Prometheus gives, labels and values, at five moments', async () => {
    let compared = 0
    for (const look of LOOKS) {
      const seconds = start + look
      const samples = samplesUntil(seconds)
      const answers = await Promise.all(expressions.map(({ expression }) => prometheus.at(expression, seconds)))
      for (const [i, { title, expression }] of expressions.entries()) {
        const where = `${title} at ${look}: ${expression}`
        const wanted = sorted(answers[i]!)
        const ours = sorted(evaluate(parse(expression), { samples, seconds }))
        expect(
          ours.map(({ key }) => key),
          where,
        ).toEqual(wanted.map(({ key }) => key))
        for (const [n, { value }] of ours.entries()) {
          const other = wanted[n]!.value
          if (Number.isNaN(other)) expect(value, where).toBeNaN()
          else expect(Math.abs(value - other), where).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(other)))
          compared++
        }
      }
    }
    expect(compared).toBeGreaterThan(500)
  })

  test('stands in the shipped dashboard: same titles, in order, each with its expressions', () => {
    const shown = readDashboard().panels.filter(({ type }) => type !== 'row')
    const ours = ROWS.flatMap(({ panels }) => panels)
    expect(ours.map(({ title }) => title)).toEqual(shown.map(({ title }) => title))
    for (const [i, panel] of ours.entries()) {
      const lines = 'lines' in panel ? panel.lines.map(([, expression]) => expression) : [panel.expression]
      expect(lines, panel.title).toEqual(shown[i]!.targets!.map(({ expr }) => expr))
      expect(panel.unit ?? 'short', panel.title).toBe(shown[i]!.fieldConfig!.defaults.unit)
    }
  })
})

describe('the board', () => {
  test('has one row for each unit that the detectors count in', () => {
    const titles = boardOf(samplesUntil(start + 3)).map(({ title }) => title)
    expect(titles.filter((title) => title.startsWith('Scores in'))).toHaveLength(3)
    expect(titles.join()).not.toContain('$')
  })

  test('learns a value a second, and nulls where there was nothing', () => {
    const samples = new Samples(600, TARGET)
    const courses = boardOf(samplesUntil(start + 1)).flatMap((row) => row.courses)
    for (const { seconds, exposition } of scrapes.slice(0, 20)) {
      samples.add(exposition, seconds)
      for (const course of courses) course.add({ samples, seconds })
    }
    const judged = courses.find(({ title }) => title === 'Queries judged')!
    expect(judged.times).toHaveLength(20)
    expect(judged.lines[0]!.values[0]).toBeNull()
    expect(judged.lines[0]!.values.at(-1)).toBeGreaterThan(0)
    const empty = courses.find(({ title }) => title === 'Oldest calibration')!
    expect(empty.hasData).toBe(false)
  })
})

describe('by hand', () => {
  const series = (...points: [number, number][]) => ({ name: 'c', labels: {}, points })

  test('a counter that grows by 2 a second grows by 20 in ten seconds', () => {
    const points = Array.from({ length: 11 }, (_, i): [number, number] => [i + 0.5, 100 + 2 * i])
    expect(growthOf(series(...points), 10, 10.6)).toBeCloseTo(20, 12)
  })

  test('a counter that begins anew has grown by what it had and what it has', () => {
    expect(growthOf(series([1, 10], [2, 14], [3, 1], [4, 3]), 3.5, 4.2)! / 3.5).toBeCloseTo((4 + 1 + 2) / 3, 12)
  })

  test('one value is no growth', () => {
    expect(growthOf(series([1, 10]), 10, 5)).toBeUndefined()
  })

  test('the median of four values in buckets lies half way into the bucket of the second', () => {
    const buckets = [
      { bound: 1, count: 1 },
      { bound: 3, count: 3 },
      { bound: Infinity, count: 4 },
    ]
    expect(quantileOf(0.5, buckets)).toBe(2) // the second of 4 is one half of the two between 1 and 3
    expect(quantileOf(0.99, buckets)).toBe(3) // above the last bound nothing is known
    expect(quantileOf(0.5, [])).toBeNaN()
  })

  test('labels with quotes, commas and line ends are read as they were written', () => {
    const [one] = readExposition('m{a="x\\"y,z",b="line\\nend \\\\"} 2\n')
    expect(one).toEqual({ name: 'm', labels: { a: 'x"y,z', b: 'line\nend \\' }, value: 2 })
    expect(() => readExposition('no metric')).toThrow(/is no line of metrics/)
  })

  test.each([
    ['sum(', /expected a word|came 'the end'/],
    ['rate(x)', /take a range/],
    ['quantile_over_time(0.5, x[1m])', /no function 'quantile_over_time'/],
    ['a ! b', /cannot be read at 2/],
    ['a b', /expected the end, came 'b'/],
  ])('%s is refused', (text, message) => {
    const samples = new Samples(10, {})
    samples.add('x 1\n', 1)
    expect(() => evaluate(parse(text), { samples, seconds: 1 })).toThrow(message)
  })
})
