/**
 * What it costs to ask a worker: our door against comlink alone (goal 12), in Node and in Chromium, and what shared memory saves
 * for pictures: `npm run build && npm run bench:border`. Results go to bench/results/border.md and .json.
 *
 *   --quick  few rounds, to see that everything runs; the results go to reports/ only
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { wrap } from 'comlink'

import { startWorker } from 'monitaur/worker'
import { timeCalls } from './border/calls.mjs'
import { endpointOf } from './border/endpoint.mjs'
import { launchChromium } from './chromium.mjs'
import { ratio } from './kernels/measure.mjs'
import { machine, median, write } from './server/report.mjs'

const quick = process.argv.includes('--quick')
const timing = quick ? { rounds: 3, sampleMs: 10, warmUpMs: 50 } : { rounds: 11, sampleMs: 100, warmUpMs: 1000 }
const TYPES = { html: 'text/html', js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm' }
/** Only pages with both headers get shared memory. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
const PAGE = `<!doctype html><link rel="icon" href="data:,">
<script type="importmap">{"imports":{"comlink":"/node_modules/comlink/dist/esm/comlink.mjs"}}</script>
<script type="module">
import { wrap } from 'comlink'
import { startWorker } from '/dist/worker.js'
import { timeCalls, timePictures } from '/bench/border/calls.mjs'
const start = (url) => new Worker(url, { type: 'module' })
window.measure = async (timing) => {
  const host = startWorker(() => start('/dist/monitor.worker.js'))
  const calls = await timeCalls(host, wrap(start('/bench/border/theirs.mjs')), timing)
  const sharing = startWorker(() => start('/dist/monitor.worker.js'), { shareMemory: true })
  const pictures = await timePictures(host, sharing, start('/bench/border/echo.mjs'), timing)
  return { calls, pictures, isIsolated: crossOriginIsolated }
}
</script>`

const node = await inNode()
const browser = await inChromium()
report()

async function inNode() {
  const threads = []
  const start = (kind) => {
    const thread = new Worker(new URL('border/node.mjs', import.meta.url), { workerData: kind })
    threads.push(thread)
    return endpointOf(thread)
  }
  const host = startWorker(() => start('ours'))
  const times = await timeCalls(host, wrap(start('theirs')), timing)
  host.dispose()
  await Promise.all(threads.map((thread) => thread.terminate()))
  return times
}

async function inChromium() {
  const site = createServer(answer)
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve))
  const opened = await launchChromium()
  try {
    const page = await opened.newPage()
    await page.goto(`http://127.0.0.1:${site.address().port}/`)
    await page.waitForFunction(() => window.measure !== undefined)
    const found = await page.evaluate((timing) => window.measure(timing), timing)
    if (!found.isIsolated) throw new Error('the page is not isolated')
    return { ...found, version: opened.version() }
  } finally {
    await opened.close()
    site.close()
  }
}

/** The files of the repository that the page asks for. */
async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://127.0.0.1')
  const isKnown =
    /^\/(?:dist|bench\/border|node_modules\/comlink\/dist)\/[\w./-]+$/.test(pathname) && !pathname.includes('..')
  try {
    const body =
      pathname === '/' ? PAGE : isKnown ? await readFile(fileURLToPath(new URL(`..${pathname}`, import.meta.url))) : ''
    if (body === '') throw new Error('unknown')
    const type = TYPES[pathname === '/' ? 'html' : pathname.split('.').at(-1)]
    response.writeHead(200, { 'content-type': type, ...ISOLATED }).end(body)
  } catch {
    response.writeHead(404).end()
  }
}

function report() {
  const places = [
    ['Node', node],
    [`Chromium ${browser.version}`, browser.calls],
  ]
  const rows = places.flatMap(([where, { comlink, single, together, packed, judging }]) => [
    {
      what: 'comlink, one awaited call / packed batch of 64, per query',
      where,
      ratio: ratio(comlink, packed),
      atLeast: 20,
    },
    { what: 'the same / the judging alone, in the worker', where, ratio: ratio(comlink, judging) },
    { what: 'the judging alone / packed batch of 64, per query', where, ratio: ratio(judging, packed) },
    { what: 'comlink / 64 calls of our door that do not wait for each other', where, ratio: ratio(comlink, together) },
    {
      what: 'comlink / one awaited call of our door',
      where,
      ratio: ratio(comlink, single),
      atLeast: where === 'Node' ? undefined : 1.4,
    },
  ])
  const { copied, moved, shared, sharedAnew, repetition, similarity, repetitionShared, similarityShared } =
    browser.pictures
  const where = `Chromium ${browser.version}, isolated`
  rows.push(
    { what: 'a picture of 224 × 224 × 4 copied, then moved / copied, then cloned', where, ratio: ratio(moved, copied) },
    { what: 'copied into shared memory made for it / copied, then cloned', where, ratio: ratio(sharedAnew, copied) },
    { what: 'copied into shared memory that is there / copied, then cloned', where, ratio: ratio(shared, copied) },
    {
      what: 'image_repetition by our door, with shareMemory / without',
      where,
      ratio: ratio(repetitionShared, repetition),
    },
    {
      what: 'image_similarity by our door, with shareMemory / without',
      where,
      ratio: ratio(similarityShared, similarity),
    },
  )
  const date = new Date().toISOString()
  const line = (cells) => `| ${cells.join(' | ')} |`
  const figure = (value) => (Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2))
  const times = { Node: node, Chromium: { ...browser.calls, ...browser.pictures } }
  const lines = [
    '# The border of a worker',
    '',
    `${date.slice(0, 10)} · ${machine()} · \`npm run build && npm run bench:border\``,
    '',
    'Clock on the wall, in turns; ratios round by round: median [smallest … largest]. Each query has 1.5 kB and is judged by `similarity` with',
    'a window of 10, on both sides. Our door keeps a log of what was acknowledged, copies what callers might change, and notices a worker that hangs;',
    'comlink alone does none of it.',
    '',
    line(['what', 'where', 'ratio', 'wanted', 'met']),
    line(['---', '---', '---', '---', '---']),
    ...rows.map(({ what, where, ratio: { min, median, max }, atLeast }) =>
      line([
        what,
        where,
        `${figure(median)} [${figure(min)} … ${figure(max)}]`,
        atLeast === undefined ? '–' : `≥ ${atLeast}`,
        atLeast === undefined
          ? '–'
          : median >= atLeast
            ? 'yes'
            : `**no**, by a factor of ${(atLeast / median).toFixed(2)}`,
      ]),
    ),
    '',
    ...Object.entries(times).map(([place, ways]) => {
      const list = Object.entries(ways).map(([name, rounds]) => `${name} ${(1000 * median(rounds)).toFixed(1)}`)
      return `Median µs a query, ${place}: ${list.join(', ')}.\n`
    }),
  ]
  console.log(lines.join('\n'))
  const folder = quick ? 'reports' : 'bench/results'
  write(`${folder}/border.md`, lines.join('\n'))
  write(
    `${folder}/border.json`,
    `${JSON.stringify({ date, machine: machine(), versions: process.versions, timing, times, rows }, null, 2)}\n`,
  )
}
