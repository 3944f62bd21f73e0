/** Everything in deploy/ that Prometheus reads, before a real one that scrapes a real server under real traffic. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { findPrometheus } from './tools/prometheus.ts'
import { ended, freePort, type PrometheusServer, type Sample, startPrometheus } from './tools/prometheusServer.ts'
import {
  type Asked,
  alertOperands,
  annotationExpressions,
  panelExpressions,
  readDashboard,
  readRules,
  recordedSeries,
  variableExpressions,
} from './tools/promql.ts'
import { type RunningServer, startServer } from './tools/serverCli.ts'

const root = resolve(fileURLToPath(new URL('..', import.meta.url)))
const deploy = join(root, 'deploy')
const folder = mkdtempSync(join(tmpdir(), 'monitaur-prometheus-'))
const DATA_WITHIN_MS = 45_000
const LOOK_EVERY_MS = 500
/** Names that deploy/traffic.mjs gives its users. */
const CLIENT_IDS = /person-|claimant-|double-|mutator|repeater|painter|nudger|walker|broken/

/** Of an honest server, an operator with little to do, and a short time. */
const HOPED_ZERO: ReadonlySet<string> = new Set([
  'Failed requests A',
  'Suspended and released B',
  'False alarms A',
  'Requests under way A',
  'Clients forgotten A',
  'Clients forgotten B',
  'Clients forgotten C',
  'Slow senders B',
  'Slow senders C',
  'Steps of the clock A',
  'Drift from the calibration A',
  'Drift from the calibration B',
  'Drift from the calibration C',
  'Drift from the calibration D',
  'Reloads and lost backends A',
  'Reloads and lost backends B',
  'Listeners of events B',
  'Behind the log A',
  'Behind the log B',
  'Behind the log C',
  'Log that fails A',
  'Log that fails B',
  'Log that fails C',
  'Log that fails D',
  'Log that fails E',
  'Snapshots and queries sent twice A',
  'Snapshots and queries sent twice B',
  'Snapshots and queries sent twice C',
])

const dashboard = readDashboard()
const rules = readRules()
const onPanels = panelExpressions(dashboard)
const mustHaveData = [...onPanels, ...variableExpressions(dashboard), ...recordedSeries(rules), ...alertOperands(rules)]

let programs: Awaited<ReturnType<typeof findPrometheus>>
let server: RunningServer
let prometheus: PrometheusServer
let traffic: ChildProcess
/** What each expression gave, once all gave something. */
let answers: ReadonlyMap<Asked, readonly Sample[]>
/** `/metrics` after the traffic. */
let exposition: string
let summary = ''

beforeAll(async () => {
  programs = await findPrometheus()
  server = await startServer(['--quiet', '--config', withJournal(join(deploy, 'monitaur.yaml'))])
  const port = await freePort()
  const config = writeConfig(new URL(server.origin).host, port)
  prometheus = await startPrometheus({ program: programs.prometheus, config, folder: join(folder, 'data'), port })
  traffic = spawn(process.execPath, [
    join(deploy, 'traffic.mjs'),
    ...['--target', server.origin, '--seconds', '0', '--rate', '60', '--seed', '1'],
  ])
  traffic.stdout!.on('data', (chunk) => {
    summary += chunk
  })
  answers = await answersOf(mustHaveData)
  traffic.kill('SIGTERM')
  await once(traffic, 'close')
  exposition = await (await fetch(`${server.origin}/metrics`)).text()
}, 90_000)

afterAll(async () => {
  if (traffic !== undefined) await ended(traffic)
  await prometheus?.stop()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The shipped configuration of the server with a journal, so that there are metrics of a log. Returns its path. */
function withJournal(file: string): string {
  const path = join(folder, 'monitaur.yaml')
  const config = parse(readFileSync(file, 'utf8'))
  writeFileSync(path, stringify({ ...config, state: { journal: join(folder, 'journal'), sync: 'interval' } }))
  return path
}

/** The shipped configuration with the addresses of this test, every second. Returns its path. */
function writeConfig(monitaur: string, port: number): string {
  const config = parse(readFileSync(join(deploy, 'prometheus/prometheus.yml'), 'utf8'))
  Object.assign(config.global, { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' })
  const targets: Readonly<Record<string, string>> = { monitaur, prometheus: `127.0.0.1:${port}` }
  for (const job of config.scrape_configs) job.static_configs = [{ targets: [targets[job.job_name]] }]
  mkdirSync(join(folder, 'config'))
  writeFileSync(join(folder, 'config/rules.yml'), readFileSync(join(deploy, 'prometheus/rules.yml')))
  const path = join(folder, 'config/prometheus.yml')
  writeFileSync(path, stringify(config))
  return path
}

/** Asks until every expression has told what it has to; rejects with those that have not. */
async function answersOf(asked: readonly Asked[]): Promise<ReadonlyMap<Asked, readonly Sample[]>> {
  const lastMs = performance.now() + DATA_WITHIN_MS
  const told = new Map<Asked, readonly Sample[]>()
  for (;;) {
    const waiting = asked.filter((one) => !told.has(one))
    const found = await Promise.all(waiting.map(async (one) => [one, await prometheus.query(one.query)] as const))
    for (const [one, samples] of found) if (tells(one, samples)) told.set(one, samples)
    if (told.size === asked.length) return told
    if (performance.now() > lastMs) {
      const empty = found.filter(([one]) => !told.has(one))
      const lines = empty.map(([{ where, query }, samples]) => `  ${where}: ${query} gave ${JSON.stringify(samples)}`)
      throw new Error(`nothing to see within ${DATA_WITHIN_MS / 1000} s from\n${lines.join('\n')}`)
    }
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS))
  }
}

/** A finite number; on a panel one that is not 0, except where 0 is what everybody hopes for. */
function tells(asked: Asked, samples: readonly Sample[]): boolean {
  const mayBeZero = !onPanels.includes(asked) || HOPED_ZERO.has(asked.where)
  return samples.some(({ value }) => Number.isFinite(value) && (mayBeZero || value !== 0))
}

/** Not synchronous: the server in this process goes on answering Prometheus meanwhile. */
async function promtool(args: readonly string[], input = '') {
  const child = spawn(programs.promtool, args)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  child.stdin.end(input)
  const [status] = await once(child, 'close')
  return { status, output }
}

describe('promtool', () => {
  test.each([
    ['check', 'rules', 'rules.yml'],
    ['check', 'config', 'prometheus.yml'],
    ['test', 'rules', 'rules.test.yml'],
  ])('%s %s passes', async (verb, what, name) => {
    const { status, output } = await promtool([verb, what, join(deploy, 'prometheus', name)])
    expect(status, output).toBe(0)
    expect(output).toContain('SUCCESS')
  })

  test('check metrics has nothing to say about /metrics', async () => {
    expect(exposition).toContain('detector_requests_total')
    expect(await promtool(['check', 'metrics'], exposition)).toEqual({ status: 0, output: '' })
  })
})

describe('under traffic', () => {
  test('every target is up', async () => {
    const { activeTargets } = await prometheus.get('targets')
    const states = activeTargets.map(({ labels, health, lastError }: Target) => [labels['job'], health, lastError])
    expect(states.sort()).toEqual([
      ['monitaur', 'up', ''],
      ['prometheus', 'up', ''],
    ])
  })

  test('every expression of every panel, variable, recording rule and alert gives a number', () => {
    writeReport()
    expect([...answers.keys()].sort(byPlace)).toEqual([...mustHaveData].sort(byPlace))
    const empty = dashboard.panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0)
    expect(empty).toEqual([])
  })

  test('annotations are understood', async () => {
    for (const { query } of annotationExpressions(dashboard)) await prometheus.query(query)
  })

  test('every rule was evaluated without an error', async () => {
    const { groups } = await prometheus.get('rules')
    const all = groups.flatMap(({ rules }: { rules: { name: string; health: string; lastError?: string }[] }) => rules)
    expect(all.length).toBe(rules.groups.flatMap((group) => group.rules).length)
    expect(all.filter(({ health }: { health: string }) => health !== 'ok')).toEqual([])
  })

  test('the scores of every unit have their thresholds', () => {
    const lines = onPanels.filter(({ query }) => query.startsWith('max by (model, detector) (monitaur_threshold'))
    expect(lines.map(({ where }) => where)).toEqual([
      'Scores in nats C',
      'Scores in probability C',
      'Scores in count C',
      'Scores in cosine C',
    ])
    expect(lines.flatMap((one) => answers.get(one)!.map(({ value }) => value)).sort()).toEqual([
      ...[0.9, 0.9, 0.9, 0.97, 1.2, 20, 5, 5, 5],
    ])
  })

  test('every metric of the server is on the dashboard, but the one that only the reference has', () => {
    const names = [...exposition.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)
    const shown = onPanels.map(({ query }) => query).join('\n')
    expect(names.filter((name) => !new RegExp(`\\b${name}(?:_bucket)?[{"]`).test(shown))).toEqual([
      'detection_confidence_score',
    ])
  })

  test('no label holds a client', async () => {
    expect(exposition).not.toMatch(CLIENT_IDS)
    for (const label of await prometheus.get('labels')) {
      expect(label).not.toMatch(/client/)
      expect((await prometheus.get(`label/${label}/values`)).join('\n'), label).not.toMatch(CLIENT_IDS)
    }
  })

  test('the traffic was answered, honest people were left alone, and attackers were found', () => {
    const row = (name: string) => new RegExp(`^${name} +${'(\\d+) *'.repeat(7)}$`, 'm').exec(summary)!.map(Number)
    expect(traffic.exitCode, summary).toBe(0)
    const [, sent, ok, refused, failed, none] = row('all')
    expect([sent, failed, none]).toEqual([ok! + refused!, 0, 0])
    const honest = ['asks', 'asks through /detect', 'claims with a row', 'claims with a photo'].map(row)
    const sum = (column: number) => honest.reduce((total, values) => total + values[column]!, 0)
    expect(sum(6) / sum(1)).toBeLessThan(0.01)
    for (const name of [
      'mutates a prompt',
      'repeats a prompt',
      'alters a photo',
      'nudges a row',
      'walks along a boundary',
    ]) {
      expect(row(name)[6], name).toBeGreaterThan(0)
    }
    expect(row('all')[7]).toBeGreaterThan(0)
    expect(summary).toMatch(/events heard: .*\bverdict\b/)
  })
})

interface Target {
  readonly labels: Readonly<Record<string, string>>
  readonly health: string
  readonly lastError: string
}

const byPlace = (a: Asked, b: Asked) => mustHaveData.indexOf(a) - mustHaveData.indexOf(b)

/** What each expression gave, as a table for people. */
function writeReport(): void {
  const lines = mustHaveData.map((asked) => {
    const { where, expression } = asked
    const samples = answers.get(asked)!
    const finite = samples.filter(({ value }) => Number.isFinite(value))
    const { labels, value } = finite.reduce((most, one) => (Math.abs(one.value) > Math.abs(most.value) ? one : most))
    const { __name__, ...named } = labels
    const example = `${Number(value.toPrecision(4))} ${JSON.stringify(named)}`
    const cells = [where, `\`${expression.replace(/\s+/g, ' ')}\``, String(samples.length), example]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  const head = '| panel, variable, rule or alert | expression | series | the largest value |\n|---|---|---|---|'
  mkdirSync(join(root, 'reports'), { recursive: true })
  writeFileSync(join(root, 'reports/panels.md'), `# What Prometheus returned\n\n${head}\n${lines.join('\n')}\n`)
}
