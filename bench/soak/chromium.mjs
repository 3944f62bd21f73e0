/** A monitor in a Web Worker in Chromium: the page asks, the worker judges. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { launchChromium } from '../chromium.mjs'
import { CONFIG } from './traffic.mjs'

const file = (relative) => fileURLToPath(new URL(`../../${relative}`, import.meta.url))
const PAGE = `<!doctype html><link rel="icon" href="data:,">
<script type="module">
import { startWorker } from '/dist/worker.js'
window.failures = []
addEventListener('unhandledrejection', ({ reason }) => failures.push(String(reason)))
addEventListener('error', ({ message }) => failures.push(message))
const host = startWorker(() => new Worker('/dist/monitor.worker.js', { type: 'module' }), {
  onRestart: ({ reason }) => failures.push('restart: ' + reason),
})
const monitor = await host.createMonitor(${JSON.stringify(CONFIG)})
window.ask = async (query) => {
  try {
    if (typeof query.client === 'string' && !monitor.admit(query.client).allowed) return { kind: 'refused', code: 'suspended' }
    return { kind: 'verdict', verdict: await monitor.inspect(query) }
  } catch (thrown) {
    return { kind: 'refused', code: thrown.code ?? String(thrown) }
  }
}
window.isReady = true
</script>`

export async function startChromium() {
  const site = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1')
    try {
      const body = pathname === '/' ? PAGE : await readFile(placeOf(pathname))
      response.writeHead(200, { 'content-type': pathname === '/' ? 'text/html' : 'text/javascript' }).end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve))
  const browser = await launchChromium()
  const page = await browser.newPage()
  const failures = []
  page.on('pageerror', (error) => failures.push(error.message))
  page.on('crash', () => failures.push('the page crashed'))
  await page.goto(`http://127.0.0.1:${site.address().port}/`)
  await page.waitForFunction(() => window.isReady === true)
  const session = await page.context().newCDPSession(page)
  const worker = await heapOfWorker(session)
  return {
    what: 'A Web Worker in Chromium (live heap of the worker)',
    ask: (query) => page.evaluate((one) => window.ask(one), query),
    memory: worker,
    failures: async () => [...failures, ...(await page.evaluate(() => window.failures))],
    async stop() {
      await browser.close()
      site.close()
    },
  }
}

function placeOf(pathname) {
  const [, , ...rest] = pathname.split('/')
  if (rest.includes('..')) throw new Error('outside')
  return file(`dist/${rest.join('/')}`)
}

/** Reads the heap of the page's worker, in MB. */
async function heapOfWorker(session) {
  let ids = 0
  const waiting = new Map()
  let target
  session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (targetInfo.type === 'worker') target = sessionId
  })
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message)
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false })
  async function ask(method) {
    const id = ++ids
    const answer = new Promise((resolve) => waiting.set(id, resolve))
    await session.send('Target.sendMessageToTarget', {
      sessionId: target,
      message: JSON.stringify({ id, method }),
    })
    return answer
  }
  return async function memory() {
    if (target === undefined) return undefined
    await ask('HeapProfiler.collectGarbage')
    const usage = await ask('Runtime.getHeapUsage')
    return (usage.usedSize + (usage.backingStorageSize ?? 0)) / 2 ** 20
  }
}
