/** Vite plugin: writes `sw.js`, a service worker that keeps the files of this build, and what is loaded on request once it was. */
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Loaded on request only: too heavy to keep beforehand. */
const ON_REQUEST = /\.wasm$|copyNetWeights|transformers|ort\.|\/(?:onnx|embed|load|size\.worker)-/

export function offline() {
  let folder = ''
  return {
    name: 'monitaur-offline',
    apply: 'build',
    configResolved({ root, build }) {
      folder = join(root, build.outDir)
    },
    // Not in closeBundle, which comes after a failed build too.
    writeBundle: {
      order: 'post',
      async handler() {
        const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
          .filter((file) => file.isFile() && file.name !== 'sw.js')
          .map((file) => join(file.parentPath, file.name).slice(folder.length + 1))
          .sort()
        const hash = createHash('sha256')
        for (const file of files) hash.update(file).update(await readFile(join(folder, file)))
        const kept = files.filter((file) => !ON_REQUEST.test(`/${file}`) && file !== 'index.html')
        await writeFile(join(folder, 'sw.js'), workerOf(hash.digest('hex').slice(0, 16), ['./', ...kept]))
      },
    },
  }
}

function workerOf(version, kept) {
  return `// Keeps this build of the page and its assets; everything else is left to the browser.
const CACHE = 'monitaur-demo-${version}'
const KEPT = ${JSON.stringify(kept)}
const FOLDER = new URL('./', self.location.href).href
const ASSETS = new URL('./assets/', self.location.href).href

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  const isOld = (name) => name.startsWith('monitaur-demo-') && name !== CACHE
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || !request.url.startsWith(FOLDER)) return
  if (request.mode === 'navigate') event.respondWith(page(request))
  else if (request.url.startsWith(ASSETS)) event.respondWith(file(request))
})

// The page itself from the network where there is one, so that a new build is seen at once.
async function page(request) {
  try {
    return await fetch(request)
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match('./')
    if (kept === undefined) throw error
    return kept
  }
}

// Names of files carry a hash of what is in them, so that the kept one is the right one.
async function file(request) {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request)
  if (kept !== undefined) return kept
  const answer = await fetch(request)
  if (answer.ok) await cache.put(request, answer.clone())
  return answer
}
`
}
