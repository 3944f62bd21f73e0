/**
 * Workers, tabs and whole browsers are killed at random moments while queries are asked, and asked again where no answer
 * came. What was acknowledged is in the state, nothing is in it twice, and the verdicts are those of an uninterrupted run.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { BrowserContext, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMonitor, type MonitorConfig, type Query } from '../../src/embed/index.ts'
import { openApp, type TestApp } from '../tools/app.ts'
import { launchPersistent } from '../tools/chromium.ts'
import { random } from '../tools/random.ts'
import { writePart } from '../tools/report.ts'
import type { Offered, WorkerRound } from './browser/main.ts'
import { runsOf, SEED, tell } from './tools/size.ts'
import { recordedStream } from './tools/stream.ts'

const WORKER_KILLS = runsOf(16, 200)
const TAB_KILLS = runsOf(4, 100)
/** Every fourth time the browser goes with the tab. */
const BROWSER_EVERY = 4
const QUERIES_BETWEEN = 40
/** Long, for a machine with other work to do. */
const PATIENCE_MS = 30_000
/** Asked once more, at the end, when nothing is killed any longer. */
const LAST_QUERIES = 50

const config: MonitorConfig = {
  detectors: [
    { name: 'confidence', threshold: 0.8 },
    { name: 'text_repetition', threshold: 3, maxHistorySize: 50 },
    { name: 'text_similarity', threshold: 0.95, maxHistorySize: 30, scope: 'global' },
  ],
  policy: { mode: 'enforce', throttleAt: 4, suspendAt: 8, suspendForMs: 60_000 },
}

declare const offered: Offered

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'monitaur-kill-browser-'))
let app: TestApp

beforeAll(async () => {
  app = await openApp(join(import.meta.dirname, 'browser'))
})
afterAll(async () => {
  await app?.close()
  rmSync(folder, { recursive: true, force: true })
})

const stampedStream = (count: number, seed: number): Query[] =>
  recordedStream(count, 20, seed).map((query, i) => ({ ...query, timeMs: 1e12 + i * 50 }))

describe(`seed ${SEED}`, () => {
  test(`${WORKER_KILLS} workers are killed: no verdict and no byte of the state differs`, {
    timeout: 900_000,
  }, async () => {
    const page = await app.browser.newPage()
    await page.goto(app.server.origin)
    await page.waitForFunction(() => 'offered' in globalThis)
    const stream = stampedStream(WORKER_KILLS * 40 + 200, SEED)
    const options = { seed: SEED, kills: WORKER_KILLS }
    const round = await page.evaluate(([one, two, three]) => offered.killWorkers(one, two, three), [
      config,
      stream,
      options,
    ] as const)
    await page.close()
    report('worker', round)
    expect(round).toMatchObject({ kills: WORKER_KILLS, differing: 0, isSameState: true })
    expect(round.restarts).toBeGreaterThanOrEqual(WORKER_KILLS / 2) // two may die of one blow
  })

  test(`${TAB_KILLS} tabs and browsers are killed: nothing told is lost or counts twice`, {
    timeout: 1_500_000,
  }, async () => {
    const next = random(SEED)
    const stream = stampedStream(TAB_KILLS * QUERIES_BETWEEN + LAST_QUERIES, SEED + 1)
    const verdicts = new Map<string, string>()
    let contradictions = 0
    const onTold = (id: string, verdict: string) => {
      if ((verdicts.get(id) ?? verdict) !== verdict) contradictions++
      verdicts.set(id, verdict)
    }
    const tabs = new Tabs(onTold)
    let again = 0
    for (let kills = 0; kills < TAB_KILLS; kills++) {
      const waiting = stream.slice(0, (kills + 1) * QUERIES_BETWEEN).filter(({ id = '' }) => !verdicts.has(id))
      again += Math.max(0, waiting.length - QUERIES_BETWEEN)
      const before = verdicts.size
      const wanted = 1 + Math.floor(next() * (waiting.length - 1))
      await tabs.ask(waiting)
      while (verdicts.size < before + wanted) await pause(1)
      await pause(next() * 10)
      await tabs.kill(kills % BROWSER_EVERY === BROWSER_EVERY - 1 ? 'browser' : 'tab')
    }
    await tabs.ask(stream.filter(({ id = '' }) => !verdicts.has(id)))
    while (verdicts.size < stream.length) await pause(5)
    const count = await tabs.count()
    await tabs.close()

    const monitor = createMonitor(config)
    let differing = 0
    for (const query of stream) {
      if (JSON.stringify(await monitor.inspect(query)) !== verdicts.get(query.id!)) differing++
    }
    const kills = TAB_KILLS
    const round = {
      kills,
      asked: stream.length,
      retries: again,
      differing,
      contradictions,
      doubled: count - stream.length,
    }
    report('tab', round)
    expect(round).toMatchObject({ differing: 0, contradictions: 0, doubled: 0 })
  })
})

/** A profile of Chromium that stays, and one tab of it at a time. */
class Tabs {
  readonly #onTold: (id: string, verdict: string) => void
  #context: BrowserContext | undefined
  #page: Page | undefined

  constructor(onTold: (id: string, verdict: string) => void) {
    this.#onTold = onTold
  }

  /** Begins to ask; what is answered is told. */
  async ask(queries: readonly Query[]): Promise<void> {
    const page = await this.#open()
    // A tab that is killed never returns.
    page.evaluate((all) => offered.ask(all), queries).catch(() => {})
  }

  async count(): Promise<number> {
    return (await this.#open()).evaluate(() => offered.count())
  }

  /** SIGKILL, to the processes that draw pages or to all of this profile. */
  async kill(what: 'tab' | 'browser'): Promise<void> {
    const { stdout } = await run('ps', ['-axo', 'pid=,args='], { maxBuffer: 2 ** 24 })
    const own = stdout.split('\n').filter((line) => line.includes(`--user-data-dir=${folder}`))
    const isMeant = (line: string) => what === 'browser' || line.includes('--type=renderer')
    const pids = own.filter(isMeant).map((line) => Number.parseInt(line, 10))
    expect(pids.length, `processes of the ${what}`).toBeGreaterThan(0)
    const [page, context] = [this.#page!, this.#context!]
    const ended = new Promise((done) => {
      if (what === 'tab') page.once('crash', done)
      else context.once('close', done)
    })
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown // it went with the others
      }
    }
    await inTime(ended)
    await page.close().catch(() => {})
    this.#page = undefined
    if (what === 'browser') this.#context = undefined
  }

  async close(): Promise<void> {
    await this.#context?.close()
  }

  /** A process that was kept in reserve may have been killed with the tab, and a new tab dies with it: tries again. */
  async #open(): Promise<Page> {
    for (let attempt = 1; this.#page === undefined; attempt++) {
      this.#context ??= await launchPersistent(folder)
      try {
        this.#page = await this.#newPage(this.#context)
      } catch (thrown) {
        if (attempt === 5) throw thrown
        await this.#context.close().catch(() => {})
        this.#context = undefined
      }
    }
    return this.#page
  }

  async #newPage(context: BrowserContext): Promise<Page> {
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    await page.exposeFunction('told', this.#onTold)
    await page.goto(app.server.origin)
    await page.waitForFunction(() => 'offered' in globalThis)
    await inTime(page.evaluate((given) => offered.open(given), config))
    return page
  }
}

/** What a dead process would answer never comes. */
async function inTime<T>(promise: Promise<T>): Promise<T> {
  const late = new AbortController()
  const patience = pause(PATIENCE_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`no answer within ${PATIENCE_MS} ms`)
  })
  try {
    return await Promise.race([promise, patience])
  } finally {
    late.abort()
    patience.catch(() => {})
  }
}

function report(what: 'worker' | 'tab', round: Partial<WorkerRound> & { kills: number; differing: number }): void {
  tell(`${what}: ${JSON.stringify(round)}`)
  writePart('faults', `kill -9 of the ${what}`, [
    { name: `${what}: kills`, value: round.kills, unit: '', met: null },
    { name: `${what}: acknowledged queries`, value: round.asked!, unit: '', met: null },
    { name: `${what}: sent again`, value: round.retries!, unit: '', met: null },
    { name: `${what}: differing`, value: round.differing, unit: '', goal: 0, met: round.differing === 0 },
  ])
}
