/** Every code block of the README and of docs is run, and what it prints is compared with the comments beside it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, preview } from 'vite'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { createRegistry } from '../src/core/index.ts'
import { checkConfig } from '../src/server/config/config.ts'
import { launchChromium } from './tools/chromium.ts'
import { RUN } from './tools/docsPages.ts'
import { testServer } from './tools/serverApp.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const folder = join(root, 'reports/readme')
const readme = ['README.md', ...RUN.map((page) => `docs/${page}.md`)]
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n')
const blocks = [...readme.matchAll(/^```(\S+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, where, code]) => {
  return { language: language!, where, code: code!, printed: printedIn(code!) }
})

/** All that run without being told more, in both units of `confidence`. */
function detectorsOfAllUnits(): unknown[] {
  const registry = createRegistry()
  const names = registry.listDetectors().map(({ name }) => name)
  const ready = names.filter((name) => {
    try {
      registry.createDetector(name as 'confidence')
      return true
    } catch {
      return false
    }
  })
  return [...ready, { name: 'confidence', label: 'margin', mode: 'margin' }]
}

/** Have no series until there is something to tell. */
const SOMETIMES = [
  'monitaur_calibration_alpha',
  'monitaur_calibration_drift',
  'monitaur_suspensions_held',
  'monitaur_backend_info',
  'monitaur_backend_changes_total',
  'monitaur_errors_total',
  // Of a log.
  'monitaur_log_failing',
  'monitaur_log_lag_entries',
  'monitaur_log_lag_seconds',
  'monitaur_log_failures_total',
  'monitaur_log_refused_total',
  'monitaur_log_unsaved_total',
  'monitaur_log_lost_total',
  'monitaur_log_duplicates_total',
  'monitaur_log_entries',
  'monitaur_log_snapshots_total',
  'monitaur_log_snapshot_failures_total',
  // Of a socket and a system's clock: the app alone has neither.
  'http_connections',
  'http_connections_dropped_total',
  'monitaur_clock_steps_total',
]

/** The lines of comment that follow a `console.log`, or the end of its loop. */
function printedIn(code: string): string[] {
  const found = [...code.matchAll(/console\.log\(.*\)\n(?:\}\n)?((?:\/\/ .*\n)+)/g)]
  return found.flatMap((match) => match[1]!.trimEnd().split('\n')).map((line) => line.slice('// '.length))
}

describe('the README', () => {
  test('has blocks of known kinds only', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(4)
    for (const { language, printed } of blocks) {
      expect(['js', 'yaml']).toContain(language)
      if (language === 'js') expect(printed.length).toBeGreaterThan(0)
    }
  })

  test('has configurations that the server takes', () => {
    const found = blocks.filter(({ language }) => language === 'yaml')
    expect(found).not.toHaveLength(0)
    // The records of calibrations are files of the reader's own.
    const without = (key: string, value: unknown) => (key === 'calibration' ? undefined : value)
    for (const { code } of found) {
      const given = JSON.parse(JSON.stringify(parse(code), without))
      expect(checkConfig(given).models.length).toBeGreaterThan(0)
    }
  })

  test('names every metric that the server has, and no other', async () => {
    const { ask, exposition } = await testServer({
      detectors: detectorsOfAllUnits(),
      calibratedAt: '2026-11-01T00:00:00Z',
    })
    await ask('/detect', { input_data: 'x' })
    const served = [...(await exposition()).matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]!)
    const named = [...readme.matchAll(/^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \| (?:counter|gauge|histogram)/gm)]
    const names = named.flatMap((match) => match[1]!.replaceAll('`', '').split(', '))
    const own = served.filter((name) => !/^(process|nodejs)_/.test(name))
    expect(names.filter((name) => !SOMETIMES.includes(name)).sort()).toEqual(
      own.filter((name) => !SOMETIMES.includes(name)).sort(),
    )
  })

  for (const [i, { language, where, code, printed }] of blocks.entries()) {
    if (where === 'browser' || language !== 'js') continue
    test(`block ${i + 1} prints in Node what it says`, () => {
      mkdirSync(folder, { recursive: true })
      const file = join(folder, `block-${i + 1}.mjs`)
      writeFileSync(file, code)
      expect(execFileSync(process.execPath, [file], { encoding: 'utf8' }).trim().split('\n')).toEqual(printed)
    })
  }

  test('the block for the browser prints in a page built by Vite what it says', async () => {
    const { code, printed } = blocks.find(({ where }) => where === 'browser')!
    const app = join(folder, 'app')
    mkdirSync(app, { recursive: true })
    writeFileSync(join(app, 'main.js'), code)
    writeFileSync(
      join(app, 'index.html'),
      '<!doctype html><link rel="icon" href="data:," /><script type="module" src="./main.js"></script>',
    )
    const config = {
      root: app,
      configFile: false as const,
      logLevel: 'error' as const,
      worker: { format: 'es' as const },
    }
    await build({ ...config, build: { target: 'es2022', outDir: 'dist', emptyOutDir: true } })
    const server = await preview({ ...config, build: { outDir: 'dist' }, preview: { host: '127.0.0.1', port: 4300 } })
    const browser = await launchChromium()
    try {
      const page = await browser.newPage()
      const lines: string[] = []
      const said = new Promise<void>((done) => {
        page.on('console', (message) => {
          lines.push(message.text())
          done()
        })
        page.on('pageerror', (error) => {
          lines.push(String(error))
          done()
        })
      })
      await page.goto(server.resolvedUrls!.local[0]!)
      await said
      expect(lines).toEqual(printed)
    } finally {
      await browser.close()
      await server.close()
    }
  })
})
