/**
 * Start-up: `npm run bench:startup`, after a build. For each door, in fresh processes in turns: the time of its import, and the
 * memory that it adds; for the server, the time until it answers. And how long a worker with a large window stands still while
 * its state is copied and moved, or restored. The table goes to bench/results/startup.md, the rows to reports/startup.json.
 *
 *   --quick      few rounds and a small window, to see that everything runs; the table goes to reports/ only
 */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { machine, median, writeReport } from './server/report.mjs'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 2 : 11
const root = fileURLToPath(new URL('..', import.meta.url))
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const doors = Object.keys(exports)
  .filter((name) => !/package\.json$|\.wasm$|\/script$/.test(name))
  .map((name) => name.replace('.', 'monitaur'))

const rows = []
const imports = Object.fromEntries(['node:fs', ...doors].map((door) => [door, { ms: [], kB: [] }]))
for (let round = 0; round < ROUNDS; round++) {
  for (const door of round % 2 === 0 ? Object.keys(imports) : Object.keys(imports).reverse()) {
    const { ms, kB } = importOf(door)
    imports[door].ms.push(ms)
    imports[door].kB.push(kB)
  }
}
const table = [['what', 'CPU, ms: median [min … max]', 'heap and buffers, kB: median']]
for (const [door, { ms, kB }] of Object.entries(imports)) {
  table.push([`import ${door}`, spread(ms), String(Math.round(median(kB)))])
  rows.push({ name: `import ${door}`, value: median(ms), unit: 'ms CPU', met: null })
}

const starts = []
for (let round = 0; round < ROUNDS; round++) starts.push(await serverStart())
const until = 'server, from the start of the process to the first answer'
table.push([`${until}, its CPU`, spread(starts.map(({ cpuMs }) => cpuMs)), '–'])
table.push([`${until}, clock on the wall`, spread(starts.map(({ ms }) => ms)), '–'])
const start = Math.min(...starts.map(({ ms }) => ms))
rows.push({
  name: 'server start, clock on the wall, the fastest',
  value: start,
  unit: 'ms',
  goal: 1000,
  met: start < 1000,
})

const pause = await import('./startup/pause.mjs').then(({ measurePause }) => measurePause(quick ? 5000 : 100_000))
for (const { what, ms } of pause.rows) table.push([what, ms.toFixed(1), '–'])
rows.push({
  name: 'longest pause of the worker, in pieces',
  value: pause.pieces,
  unit: 'ms',
  goal: 50,
  met: pause.pieces < 50,
})

rows.push({
  name: 'longest pause of the worker that restores, in pieces',
  value: pause.restoring,
  unit: 'ms',
  goal: 50,
  met: pause.restoring < 50,
})

writeReport({
  name: 'startup',
  title: '# Start-up',
  intro: [
    `${machine()}, ${ROUNDS} fresh processes each, in turns; CPU of the process where it does not say otherwise.`,
    `Load of the machine meanwhile: ${os.loadavg()[0].toFixed(1)} on ${os.availableParallelism()} cores.`,
    '',
  ],
  table,
  rows,
  isKept: !quick,
})

/** In a process of its own, where nothing else is loaded. */
function importOf(door) {
  const code = `
    const bytes = () => { gc(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external }
    const before = bytes()
    const start = process.cpuUsage()
    const door = await import('${door}')
    const { user, system } = process.cpuUsage(start)
    console.log(JSON.stringify({ ms: (user + system) / 1000, kB: (bytes() - before) / 1024, names: Object.keys(door).length }))`
  const args = ['--expose-gc', '--input-type=module', '--eval', code]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }))
}

async function serverStart() {
  const port = 20_000 + (process.pid % 20_000)
  const begun = performance.now()
  const child = spawn(process.execPath, ['dist/cli.js', 'serve', '--port', String(port)], {
    cwd: root,
    stdio: 'ignore',
  })
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
      const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined)
      if (answer?.ok) return { ms: performance.now() - begun, cpuMs: cpuOf(child.pid) }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  } finally {
    child.kill()
    await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve()))
  }
}

/** Of another process and all its threads, on Linux in steps of 10 ms; NaN elsewhere. */
function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return 10 * (Number(fields[11]) + Number(fields[12]))
  } catch {
    return Number.NaN
  }
}

function spread(values) {
  return `${median(values).toFixed(1)} [${Math.min(...values).toFixed(1)} … ${Math.max(...values).toFixed(1)}]`
}
