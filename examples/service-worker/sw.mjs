/**
 * A service worker between a page and a model API. The page stays as it is; what it asks is watched in the browser, and
 * remembered in IndexedDB when the worker is stopped, as browsers do after some seconds without work.
 *
 *     npx vite examples/service-worker
 *
 * Open the address it prints and ask: edit one text again and again, and you are suspended, also after a reload.
 */
import { durableMonitor, fromJson, indexedDbStores, monitorFetch, probabilitiesAt } from 'monitaur/edge'
import { createMonitorEngine } from 'monitaur/embed'

const watched = open()

async function open() {
  const engine = createMonitorEngine({
    detectors: ['text_similarity', { name: 'confidence', mode: 'margin', threshold: 0.9 }],
    policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
  })
  // A new version of this script waits until the old one has let go.
  const stores = await indexedDbStores({ name: 'model', wait: true })
  return monitorFetch((request) => fetch(request), {
    monitor: await durableMonitor(engine, { stores }),
    query: fromJson({ input: '$.text' }),
    output: probabilitiesAt('$.scores'),
    client: () => 'this browser',
  })
}

addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil(clients.claim()))
addEventListener('fetch', (event) => {
  if (new URL(event.request.url).pathname !== '/model') return
  event.respondWith(watched.then((ask) => ask(event.request, event)))
})
