/**
 * The packed package, each door of it opened in each host. `npm run test:imports -- --all` has those that take longest too.
 */
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from '../tools/chromium.ts'
import { type Consumer, createConsumer } from '../tools/consumer.ts'
import { type ReportRow, writeReport, writeTable } from '../tools/report.ts'
import { DOORS, judge, type Outcomes } from './doors.ts'
import { HOSTS, type Place } from './hosts.ts'

const names = [...DOORS.map(({ name }) => name), 'monitaur/kernels.wasm']
const hosts = HOSTS.filter(({ isSlow }) => !isSlow || process.env['MONITAUR_IMPORTS'] === 'all')
const cells = new Map<string, readonly string[]>()
const times = new Map<string, number>()
let consumer: Consumer
let place: Place
let reference: Outcomes
let browser: Promise<Browser> | undefined

beforeAll(async () => {
  consumer = createConsumer()
  place = { folder: consumer.folder, file: consumer.packed.file, browser: () => (browser ??= launchChromium()) }
  reference = await HOSTS[0]!.open(place)
})

afterAll(async () => {
  await (await browser)?.close()
  consumer?.remove()
  writeTable('imports', table())
  writeReport('imports', rows())
})

describe('every door of the package opens', () => {
  for (const { name, kind, open } of hosts) {
    test(`in ${name}`, { timeout: 300_000 }, async () => {
      const startMs = performance.now()
      const outcomes = await open(place).catch((error: Error) => error)
      times.set(name, performance.now() - startMs)
      const words = names.map((door) =>
        outcomes instanceof Error
          ? `failed: ${outcomes.message.slice(0, 1000)}`
          : judge(door, outcomes[door] ?? { error: 'was not tried' }, reference, kind),
      )
      cells.set(name, words)
      const wrong = names.filter((_, i) => !/^(?:ok|says where to go)$/.test(words[i]!))
      expect(wrong.map((door) => `${door}: ${words[names.indexOf(door)]}`)).toEqual([])
    })
  }
})

function rows(): ReportRow[] {
  return [...cells].flatMap(([host, words]) =>
    names.map((door, i) => ({
      name: `${door} in ${host}`,
      value: words[i]!,
      unit: '',
      met: /^(?:ok|says where to go)$/.test(words[i]!),
    })),
  )
}

/** Hosts down, doors across. */
function table(): string {
  const mark = (word: string) => ({ ok: 'ok', 'says where to go': 'refers' })[word] ?? 'FAILED'
  const heads = names.map((name) => name.replace(/^monitaur\/?/, '') || '.')
  const width = Math.max(...[...cells.keys()].map(({ length }) => length))
  const line = (first: string, rest: readonly string[]) =>
    [first.padEnd(width), ...rest.map((word, i) => word.padEnd(Math.max(6, heads[i]?.length ?? 0)))]
      .join('  ')
      .trimEnd()
  const lines = [...cells].map(([host, words]) =>
    line(host, [...words.map(mark), `${(times.get(host)! / 1000).toFixed(1)} s`]),
  )
  return [
    'The doors of the packed package, by who imports them',
    '',
    line('', heads),
    ...lines,
    '',
    'refers: the door is for servers, and says what to use instead',
    '',
  ].join('\n')
}
