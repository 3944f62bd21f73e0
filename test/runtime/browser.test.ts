/** The built package in a real browser: in a page that Vite has bundled, and in one without a bundler. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, type RunnerTestCase, test } from 'vitest'
import { openApp, type TestApp } from '../tools/app.ts'
import { rowsOf, writePart } from '../tools/report.ts'
import type { StaticServer } from '../tools/serve.ts'
import type { Scenarios } from './app/main.ts'
import { featuresOf, fromHex, hex } from './app/numbers.ts'
import { samplePicture, sampleQueries } from './app/samples.ts'

const here = dirname(fileURLToPath(import.meta.url))
const repository = resolve(here, '../..')
const doors = {
  monitaur: await import(await builtFile('.')),
  core: await import(await builtFile('./core')),
  embed: await import(await builtFile('./embed')),
} as {
  monitaur: typeof import('monitaur')
  core: typeof import('monitaur/core')
  embed: typeof import('monitaur/embed')
}

let app: TestApp
let browser: Browser
let server: StaticServer
let page: Page
const complaints: string[] = []
const finished: Readonly<RunnerTestCase>[] = []

beforeAll(async () => {
  app = await openApp(join(here, 'app'), {
    folders: {
      '/dist/': join(repository, 'dist'),
      '/plain/': here,
    },
  })
  browser = app.browser
  server = app.server
  page = await browser.newPage()
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(server.origin)
  await page.waitForFunction(() => 'scenarios' in globalThis)
})

afterEach(({ task }) => {
  finished.push(task)
})

afterAll(async () => {
  writePart('runtimes', 'browser', rowsOf(finished), `Chromium ${browser?.version() ?? 'missing'}`)
  await app?.close()
})

/** Runs a scenario in the page. */
function inPage<Name extends keyof Scenarios>(
  name: Name,
  ...args: Parameters<Scenarios[Name]>
): Promise<Awaited<ReturnType<Scenarios[Name]>>> {
  const call = ([scenario, given]: [string, unknown[]]) =>
    (globalThis.scenarios as Record<string, (...args: unknown[]) => unknown>)[scenario]!(...given)
  return page.evaluate(call, [name, args] as [string, unknown[]]) as never
}

/** The file that a user gets who imports this door. */
async function builtFile(door: string): Promise<string> {
  const { exports } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'))
  const file = join(repository, exports[door].default)
  if (!existsSync(file)) throw new Error(`${file} is not built; run 'npm run build:library' first`)
  return pathToFileURL(file).href
}

const DETECTORS = [
  'confidence',
  'repetition',
  'image_repetition',
  'tabular_repetition',
  'text_repetition',
  'similarity',
  'image_similarity',
  'tabular_similarity',
  'text_similarity',
] as const

describe('numbers', () => {
  test('fingerprints, vectors and scores are the same to the last bit in Node and in the browser', async () => {
    const there = await inPage('features')
    const expected = featuresOf(doors.core)
    for (const [name, values] of Object.entries(expected)) expect(there[name], name).toEqual(values)
  })

  test.each(DETECTORS)('%s goes on in the browser where it stopped in Node, and back', async (name) => {
    const { getDetector, toBytes, fromBytes } = doors.monitaur
    const queries = sampleQueries(name, 60)
    const inNode = getDetector(name)
    await inNode.processBatch(queries.slice(0, 20))
    const bytes = hex(toBytes(await inNode.snapshot()))
    const expected = await inNode.processBatch(queries.slice(20))
    const there = await inPage('goOn', name, bytes, 20, 40)
    expect(there.results).toEqual(expected.slice(0, 20).map((result) => JSON.stringify(result)))
    const back = getDetector(name)
    await back.restore(fromBytes(fromHex(there.snapshot)))
    expect(await back.processBatch(queries.slice(40))).toEqual(expected.slice(20))
    expect(hex(toBytes(await back.snapshot()))).toBe(hex(toBytes(await inNode.snapshot())))
  })
})

describe('pictures', () => {
  test('every lossless shape of one picture has the hash of its pixels, a lossy one nearly', async () => {
    const { 'JPEG in a Blob': jpeg, 'WebP in a Blob': webp, ...lossless } = await inPage('hashesOfShapes')
    const expected = doors.core.perceptualHash(samplePicture())
    for (const [shape, hash] of Object.entries(lossless)) expect(hash, shape).toBe(expected)
    expect(Object.keys(lossless).length).toBe(10)
    for (const hash of [jpeg!, webp!]) expect(doors.core.hammingDistance(hash, expected)).toBeLessThanOrEqual(6)
  })

  test('a grey picture has the same hash with 1, 3 and 4 channels', async () => {
    expect(new Set(await inPage('hashesOfGrey')).size).toBe(1)
  })

  test.each([
    ['an opaque PNG', () => picture().removeAlpha().png()],
    ['an opaque PNG with an alpha channel', () => picture().png()],
    ['a grey PNG', () => picture().removeAlpha().greyscale().png()],
    ['a palette PNG', () => picture().removeAlpha().png({ palette: true })],
    ['an interlaced PNG', () => picture().removeAlpha().png({ progressive: true })],
    ['a lossless WebP', () => picture().removeAlpha().webp({ lossless: true })],
  ] as const)('%s has the same pixels, hash and vector in Node and in the browser', async (_, make) => {
    const file = Uint8Array.from(await make().toBuffer())
    const there = await inPage('featuresOfFile', hex(file))
    const pixels = await doors.embed.decodeImage(file)
    expect(there.size).toEqual([pixels.width, pixels.height])
    expect(there.hash).toBe(doors.core.perceptualHash(pixels))
    expect(there.vector).toBe(hex(doors.core.embedPixels(pixels)))
  })

  test.each([0.02, 0.2, 0.4, 0.8])(
    'a PNG of opacity %d is the same to the detectors in Node and in the browser',
    async (alpha) => {
      const file = Uint8Array.from(await picture().removeAlpha().ensureAlpha(alpha).png().toBuffer())
      const { cosine, distance, meanError } = await difference(file)
      expect(meanError).toBeLessThan(0.5) // a canvas keeps colours multiplied by alpha, which rounds them
      expect(distance).toBeLessThanOrEqual(2)
      expect(cosine).toBeGreaterThan(0.9999)
    },
  )

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'a JPEG whose EXIF says orientation %i is turned as in Node',
    async (orientation) => {
      const jpeg = await picture().removeAlpha().jpeg({ quality: 95 }).toBuffer()
      const file = withOrientation(Uint8Array.from(jpeg), orientation)
      const { cosine, distance, size, meanError } = await difference(file)
      expect(size).toEqual(orientation < 5 ? [120, 90] : [90, 120])
      expect(meanError).toBeLessThan(2) // a wrong turn is off by 30 and more
      expect(distance).toBeLessThanOrEqual(4)
      expect(cosine).toBeGreaterThan(0.999)
    },
  )

  test('damaged, truncated and huge files are bad queries and change nothing', async () => {
    const png = Uint8Array.from(await picture().png().toBuffer())
    const jpeg = Uint8Array.from(await picture().removeAlpha().jpeg().toBuffer())
    const webp = Uint8Array.from(await picture().webp().toBuffer())
    const huge = png.slice()
    new DataView(huge.buffer).setUint32(16, 60_000)
    new DataView(huge.buffer).setUint32(20, 60_000)
    const damaged = png.slice()
    damaged.fill(0x55, Math.floor(damaged.length / 3), Math.floor(damaged.length / 2))
    const cut = [png, jpeg, webp].flatMap((file) => [0.1, 0.5, 0.99].map((part) => file.slice(0, part * file.length)))
    const files = [...cut, huge, damaged, new Uint8Array(0), Uint8Array.of(1, 2, 3), new TextEncoder().encode('<svg/>')]
    const { errors, historySize, sameState } = await inPage('refusals', files.map(hex))
    expect(errors).toEqual(files.map(() => 'bad_query at input'))
    expect(historySize).toBe(1)
    expect(sameState).toBe(true)
  })
})

function picture() {
  const { data, width, height } = samplePicture()
  return sharp(data as Uint8Array, { raw: { width, height, channels: 4 } })
}

/** How far the browser's decoding of a file is from Node's. */
async function difference(file: Uint8Array) {
  const there = await inPage('featuresOfFile', hex(file))
  const pixels = doors.core.flattenAlpha(await doors.embed.decodeImage(file))
  const [a, b] = [fromHex(there.data), pixels.data]
  const vector = new Float32Array(fromHex(there.vector).buffer)
  const cosine = doors.core.embedPixels(pixels).reduce((sum, value, i) => sum + value * vector[i]!, 0)
  const errors = a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0)
  return {
    size: there.size,
    cosine,
    distance: doors.core.hammingDistance(there.hash, doors.core.perceptualHash(pixels)),
    meanError: errors / a.length,
  }
}

/** Puts an EXIF segment with one entry, the orientation, behind a JPEG's first marker. */
function withOrientation(jpeg: Uint8Array, orientation: number): Uint8Array {
  const exif = [...'Exif\0\0'].map((c) => c.charCodeAt(0))
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
  const body = [...exif, ...tiff]
  return Uint8Array.from([0xff, 0xd8, 0xff, 0xe1, 0, body.length + 2, ...body, ...jpeg.subarray(2)])
}

describe('a Web Worker', () => {
  test.each(['own', 'script'] as const)(
    '%s: 200 mixed queries get the verdicts of in process, in order',
    async (source) => {
      const { there, here: expected } = await inPage('streamVerdicts', source, 200)
      expect(there.length).toBe(200)
      expect(there).toEqual(expected)
      const actions = new Set(there.map((verdict) => JSON.parse(verdict).action))
      expect(actions.size).toBeGreaterThan(2) // the stream is worth comparing
    },
  )

  test('pixels stay with the caller by default, in every shape', async () => {
    expect(await inPage('leftAfterCall', false)).toEqual({
      raw: 800,
      png: 1,
      ImageData: 800,
      ImageBitmap: 1,
      historySize: 4,
    })
  })

  test('pixels are moved away with transfer, in every shape', async () => {
    const left = await inPage('leftAfterCall', true)
    expect(left).toEqual({ raw: 0, png: 0, ImageData: 0, ImageBitmap: -1, historySize: 4 })
  })

  test('pictures in shared memory get the verdicts of copies, and a page that is not isolated copies', async () => {
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    const isolated = await inPage('sharedPictures', true)
    expect(isolated.shared).toEqual(isolated.copied)
    expect(isolated.made).toBe(6)
    const other = await inPage('sharedPictures', false)
    expect(other).toEqual({ ...isolated, made: 0 })
  })

  test('errors arrive with class, code, path and message', async () => {
    expect(await inPage('errorsOfWorker')).toEqual({
      'bad numbers': expect.stringMatching(/^bad_query at 'modelOutput\[1\]': modelOutput\[1\]: .*NaN/),
      'bad option': expect.stringMatching(/^bad_config at 'confidence.threshold': /),
      'bad picture': expect.stringMatching(/^bad_query at 'input': input: /),
      'a function in the configuration': expect.stringMatching(
        /^bad_config at 'text_similarity.embedder': .*configure/,
      ),
      'a plug-in that throws': expect.stringMatching(/^embedder_failed at 'embedder': .*out of tokens/),
      'an abort': expect.stringMatching(/^aborted at ''/),
      'what cannot be cloned': expect.stringMatching(/^bad_query at ''/),
    })
  })

  test('a query that is aborted while it is embedded is not remembered', async () => {
    expect(await inPage('abortedQuery')).toEqual({ error: expect.stringMatching(/^aborted/), before: 1, after: 1 })
  })

  test('an endless loop ends in timeout; what was acknowledged is remembered, what was behind it is answered', async () => {
    const { scores, outcomes, historySize, restarts } = await inPage('lostWorker', 'spin', 1)
    expect(outcomes).toEqual([['timeout', 'done']])
    expect({ scores, historySize, restarts }).toEqual({ scores: [1, 2, 3], historySize: 2, restarts: 1 })
  })

  test('a query that ends its worker is tried twice and lost, four times in a row, and nothing else is', async () => {
    const { scores, outcomes, historySize, restarts } = await inPage('lostWorker', 'crash', 4)
    expect(outcomes).toEqual(Array.from({ length: 4 }, () => ['worker_lost', 'done']))
    expect({ scores, historySize, restarts }).toEqual({ scores: [1, 2, 3, 4, 5, 6], historySize: 5, restarts: 8 })
  })

  test('a script that is not there is worker_lost with a clear message, and is not tried for ever', async () => {
    const { error, made, later } = await inPage('missingScript')
    expect(error).toMatch(
      /^worker_lost at '': the worker failed: its script could not be loaded; gave up after 2 restarts/,
    )
    expect({ made, later }).toEqual({ made: 3, later: 0 })
  })

  test('dispose refuses calls in flight and later ones', async () => {
    expect(await inPage('disposedHost')).toEqual(['disposed', 'disposed'])
  })

  test('a port whose other end was handed to a worker is as good as a worker', async () => {
    expect(await inPage('overPort')).toEqual([1, 1, 2])
  })

  test('admit knows of a suspension without asking, also after a restart', async () => {
    const refused = { allowed: false, suspendedUntilMs: 1002 }
    expect(await inPage('mirroredAdmission')).toEqual({
      before: { allowed: true },
      after: refused,
      restarted: refused,
      other: { allowed: true },
      action: 'suspend',
      queries: 3,
      restarts: 1,
    })
  })

  test('ten thousand queries leave a short log in the page', async () => {
    const { replayed, historySize } = await inPage('longStream', 10_000)
    expect(replayed).toBeLessThanOrEqual(256 + 500) // a snapshot is due every 256 entries; 500 calls were on their way
    expect(historySize).toBe(100)
  })
})

describe('without a bundler', () => {
  test('the built files work in a page and in a worker, with an import map of their own names', async () => {
    const plain = await browser.newPage()
    await plain.goto(`${server.origin}/plain/plain.html`)
    await plain.waitForFunction(() => 'plain' in globalThis)
    const queries = sampleQueries('text_similarity', 10)
    const run = (given: unknown) => (globalThis as unknown as { plain(queries: unknown): unknown }).plain(given)
    const results = (await plain.evaluate(run, queries)) as { here: unknown[]; there: unknown[] }
    expect(results.there).toEqual(results.here)
    expect(results.here).toEqual(await doors.monitaur.getDetector('text_similarity').processBatch(queries))
    await plain.close()
  })

  test.each(['index', 'core', 'embed', 'worker'])(
    'importing %s touches no global and loads nothing but modules',
    async (door) => {
      const plain = await browser.newPage()
      await plain.goto(`${server.origin}/plain/doors.html`)
      await plain.waitForFunction(() => 'whatImportChanges' in globalThis)
      const before = server.requests.length
      const look = (path: string) =>
        (globalThis as never as { whatImportChanges(p: string): unknown }).whatImportChanges(path)
      expect(await plain.evaluate(look, `/dist/${door}.js`)).toEqual([])
      const requests = server.requests.slice(before)
      expect(requests.length).toBeGreaterThan(0)
      for (const path of requests) expect(path).toMatch(/^\/dist\/.*\.js$/)
      await plain.close()
    },
  )
})

test('nothing went wrong unseen in the page', () => {
  expect(complaints).toEqual([])
})
