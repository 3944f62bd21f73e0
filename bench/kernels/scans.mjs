/** Goals 1, 2, 3, 7 and 9: scans against reading, against each other, and against plain JavaScript. */

import { readFileSync } from 'node:fs'
import asc from 'assemblyscript/asc'
import { createRandom } from '../embed/random.mjs'
import { clustered } from './data.mjs'
import { inTurns, ratio } from './measure.mjs'

const WIDTH = 384
const SEED = 20261130
const root = new URL('../../', import.meta.url)

/** The reading loop, compiled from bench/assembly. */
export async function compileRead() {
  let bytes
  await asc.main(
    ['bench/assembly/read.ts', '-o', 'out', '--runtime', 'stub', '--importMemory', '-O3', '--enable', 'simd'],
    {
      readFile: (name) => (name.startsWith('bench/') ? readFileSync(new URL(name, root), 'utf8') : null),
      writeFile: (_, content) => {
        bytes = content
      },
      listFiles: () => [],
    },
  )
  return bytes
}

/** Rows, a query, results, and a batch of queries in one memory, with the kernels and the reading loop over it. */
async function openScan(inside, count, read) {
  const bytes = count * WIDTH * 4
  const batch = 32
  const [query, queries] = [0, 4096]
  const rows = queries + batch * WIDTH * 4
  const out = rows + bytes
  const memory = new WebAssembly.Memory({ initial: Math.ceil((out + batch * count * 4) / 65_536) + 1 })
  const kernels = new WebAssembly.Instance(inside.kernelModule(), { env: { memory } }).exports
  const reader = new WebAssembly.Instance(read, { env: { memory } }).exports
  const f32 = new Float32Array(memory.buffer)
  const { next } = createRandom(SEED)
  for (let i = 0; i < (out - queries) / 4; i++) f32[queries / 4 + i] = next() - 0.5
  for (let i = 0; i < WIDTH; i++) f32[query / 4 + i] = next() - 0.5
  return {
    read: () => reader.read(rows, Math.floor(bytes / 128) * 128),
    scan: () => kernels.scan(rows, count, WIDTH, query, out),
    batch: () => kernels.scanBatch(rows, count, WIDTH, queries, batch, out),
  }
}

export async function measureScans({ inside, plain, quick, timing }) {
  const read = new WebAssembly.Module(await compileRead())
  const found = []
  const sizes = quick ? [100, 1000] : [100, 1000, 10_000, 100_000]
  const limits = { 100: [2, 1.5], 1000: [2, 1.5], 10000: [1.7, 1.3], 100000: [1.15, 1] }
  for (const count of sizes) {
    const { read: reading, scan, batch } = await openScan(inside, count, read)
    const times = inTurns(count >= 10_000 ? { reading, scan, batch } : { reading, scan }, timing)
    const [goal, stretch] = limits[count]
    found.push({
      goal: 1,
      metric: 'f32 scan / streaming read',
      setting: `${count} × ${WIDTH}, Node`,
      ratio: ratio(times.scan, times.reading),
      atMost: goal,
      stretch,
    })
    if (count < 100_000) continue
    const each = times.batch.map((time) => time / 32)
    found.push({
      goal: 7,
      metric: 'time per query, batch of 32 / single f32 scan',
      setting: `${count} × ${WIDTH}`,
      ratio: ratio(each, times.scan),
      atMost: 0.6,
      stretch: 0.35,
    })
  }
  for (const count of quick ? [1000] : [1000, 10_000, 100_000]) {
    const { scan } = await openScan(inside, count, read)
    found.push(...measureTop1({ inside, plain, count, scan, timing }))
  }
  for (const count of quick ? [1000] : [1000, 10_000, 100_000])
    found.push(...measureHashes({ inside, plain, count, timing }))
  return found
}

/** The whole search of the detectors: bytes, candidates, decision. */
function measureTop1({ inside, plain, count, scan, timing }) {
  const found = []
  const { rows, novel, near } = clustered({ count, queries: 200, width: WIDTH, seed: SEED })
  const [ring, twin] = [new inside.VectorRing(count), new plain.VectorRing(count)]
  for (const row of rows) {
    ring.push(row)
    twin.push(row)
  }
  for (const query of [...novel.slice(0, 100), ...near.slice(0, 100)]) {
    const [a, b] = [ring.nearest(query), twin.nearest(query)]
    if (a.index !== b.index || a.cosine !== b.cosine) throw new Error(`other answers: ${JSON.stringify([a, b])}`)
  }
  let at = 0
  const times = inTurns(
    {
      scan,
      novel: () => ring.nearest(novel[at++ % novel.length]).index,
      near: () => ring.nearest(near[at++ % near.length]).index,
      plain: () => twin.nearest(novel[at++ % novel.length]).index,
    },
    timing,
  )
  const atMost = { 10000: 0.4, 100000: 0.28 }[count]
  for (const kind of ['novel', 'near']) {
    found.push({
      goal: 2,
      metric: 'exact top-1 by bytes, decision included / f32 scan',
      setting: `${count} × ${WIDTH}, clustered, ${kind === 'near' ? 'near-duplicate' : 'novel'} queries`,
      ratio: ratio(times[kind], times.scan),
      ...(atMost === undefined ? {} : { atMost }),
    })
  }
  found.push({
    goal: 2,
    metric: 'exact top-1 in plain JavaScript / with kernels',
    setting: `${count} × ${WIDTH}, clustered, novel queries`,
    ratio: ratio(times.plain, times.novel),
  })
  return found
}

function measureHashes({ inside, plain, count, timing }) {
  const { next } = createRandom(SEED)
  const word = () => Math.floor(2 ** 32 * next()) | 0
  const [ours, twin] = [new inside.HashRows(count), new plain.HashRows(count)]
  const big = new BigUint64Array(count)
  for (let slot = 0; slot < count; slot++) {
    const [low, high] = [word(), word()]
    ours.set(slot, low, high)
    twin.set(slot, low, high)
    big[slot] = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  }
  const pool = Array.from({ length: 256 }, () => [word(), word()])
  let at = 0
  const ask = (rows) => () => {
    const [low, high] = pool[at++ & 255]
    return rows.within(count, low, high, 8)
  }
  const ways = { ours: ask(ours), twin: ask(twin) }
  const times = inTurns(count <= 10_000 ? { ...ways, big: () => countBig(big, BigInt(at++)) } : ways, timing)
  const row = { goal: 9, setting: `${count} hashes` }
  return [
    {
      ...row,
      metric: 'Hamming scan / two words in plain JavaScript',
      ratio: ratio(times.ours, times.twin),
      atMost: 0.2,
    },
    ...(times.big === undefined
      ? []
      : [{ ...row, metric: 'Hamming scan / BigInt', ratio: ratio(times.ours, times.big), atMost: 0.01 }]),
  ]
}

function countBig(hashes, query) {
  let found = 0
  for (const hash of hashes) {
    let bits = 0
    for (let rest = hash ^ query; rest > 0n && bits <= 8; rest &= rest - 1n) bits++
    if (bits <= 8) found++
  }
  return found
}
