/** Goals 1 and 7 in Chromium. There is no clock of the CPU there: the clock on the wall, in turns, the median of the rounds. */
import { findChromium, launchChromium, NO_CHROMIUM } from '../chromium.mjs'
import { ratio } from './measure.mjs'

/** @returns `{ found, missing }`: rows, and why there are none. */
export async function measureChromium({ quick, timing, kernels, reader }) {
  if (findChromium() === undefined) return { found: [], missing: [NO_CHROMIUM] }
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    const found = []
    for (const [count, atMost, stretch] of quick
      ? [[1000, 2, 1.5]]
      : [
          [100, 2, 1.5],
          [1000, 2, 1.5],
          [10_000, 1.7, 1.3],
          [100_000, 1.15, 1],
        ]) {
      const times = await page.evaluate(inPage, { count, ...timing, kernels: [...kernels], reader: [...reader] })
      const setting = `${count} × 384, Chromium ${browser.version()}`
      const about = { goal: 1, metric: 'f32 scan / streaming read', setting, atMost, stretch }
      found.push({ ...about, ratio: ratio(times.scan, times.read) })
      if (count < 100_000) continue
      const each = times.batch.map((time) => time / 32)
      const batch = {
        goal: 7,
        metric: 'time per query, batch of 32 / single f32 scan',
        setting,
        atMost: 0.6,
        stretch: 0.35,
      }
      found.push({ ...batch, ratio: ratio(each, times.scan) })
    }
    return { found, missing: [] }
  } finally {
    await browser.close()
  }
}

/** Runs in the page: everything it needs stands in it. */
async function inPage({ count, rounds, sampleMs, warmUpMs, kernels, reader }) {
  const width = 384
  const bytes = count * width * 4
  const [query, queries] = [0, 4096]
  const rows = queries + 32 * width * 4
  const out = rows + bytes
  const memory = new WebAssembly.Memory({ initial: Math.ceil((out + 32 * count * 4) / 65_536) + 1 })
  const open = async (code) =>
    (await WebAssembly.instantiate(new Uint8Array(code), { env: { memory } })).instance.exports
  const [own, limit] = [await open(kernels), await open(reader)]
  const f32 = new Float32Array(memory.buffer)
  for (let i = 0; i < out / 4; i++) f32[i] = ((i * 2_654_435_761) % 65_536) / 65_536 - 0.5
  const ways = {
    read: () => limit.read(rows, Math.floor(bytes / 128) * 128),
    scan: () => own.scan(rows, count, width, query, out),
    ...(count >= 100_000 ? { batch: () => own.scanBatch(rows, count, width, queries, 32, out) } : {}),
  }
  const names = Object.keys(ways)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  const repeats = {}
  for (const name of names) {
    let calls = 0
    const start = performance.now()
    for (; performance.now() - start < warmUpMs; calls++) ways[name]()
    repeats[name] = Math.max(1, Math.ceil((calls * sampleMs) / (performance.now() - start)))
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const start = performance.now()
      for (let i = 0; i < repeats[name]; i++) ways[name]()
      times[name].push((performance.now() - start) / repeats[name])
    }
  }
  return times
}
