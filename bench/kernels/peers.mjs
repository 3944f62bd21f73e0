/** Goals 5 and 6: one cycle of a window, the oldest out, a new one in, one question, against libraries for it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { clustered } from './data.mjs'
import { inTurns, ratio } from './measure.mjs'

const WIDTH = 384
const SEED = 20261130
const require = createRequire(new URL('../peers/package.json', import.meta.url))

/** A peer, or why it is not there. */
export function peer(name) {
  try {
    const about = readFileSync(new URL(`../peers/node_modules/${name}/package.json`, import.meta.url), 'utf8')
    return { module: require(name), version: JSON.parse(about).version }
  } catch (error) {
    return { missing: error.message.split('\n')[0] }
  }
}

export function measurePeers({ inside, quick, timing }) {
  const found = []
  const missing = []
  for (const count of quick ? [200] : [1000, 10_000]) {
    const data = clustered({ count, queries: 2000, width: WIDTH, seed: SEED })
    for (const [name, goal, atLeast] of [
      ['usearch f32', 5, 2],
      ['usearch i8', 6, undefined],
      ['hnswlib-node HNSW', 5, 7],
      ['hnswlib-node brute force', 5, undefined],
    ]) {
      const made = makePeer(name, count)
      if (made.missing !== undefined) {
        missing.push(`${name}: ${made.missing}`)
        continue
      }
      found.push({ ...compare(inside, made, { name, count, data, timing }), goal, ...(atLeast ? { atLeast } : {}) })
    }
  }
  if (!quick) found.push(...large(inside, timing))
  return { found, missing: [...new Set(missing)] }
}

/** At a hundred thousand only the byte index of usearch is near. */
function large(inside, timing) {
  const count = 100_000
  const made = makePeer('usearch i8', count)
  if (made.missing !== undefined) return []
  const data = clustered({ count, queries: 500, width: WIDTH, seed: SEED })
  const row = compare(inside, made, { name: 'usearch i8', count, data, timing })
  return [{ ...row, goal: 6, stretch: 3 }]
}

function compare(inside, made, { name, count, data, timing }) {
  const ring = new inside.VectorRing(count)
  for (const [key, row] of data.rows.entries()) {
    ring.push(row)
    made.add(key, row)
  }
  const asked = [...data.novel.slice(0, 100), ...data.near.slice(0, 100)]
  const same = asked.filter((query) => made.nearest(query) === ring.nearest(query).index)
  let at = 0
  let key = count
  const times = inTurns(
    {
      ours() {
        const query = data.novel[at++ % data.novel.length]
        const { index } = ring.nearest(query)
        ring.push(query)
        return index
      },
      theirs() {
        const query = data.novel[at++ % data.novel.length]
        const nearest = made.nearest(query)
        made.replace(key - count, key, query)
        key++
        return nearest
      },
    },
    timing,
  )
  return {
    metric: `window cycle, ${name} ${made.version} / ours`,
    setting: `${count} × ${WIDTH}, clustered; their recall ${(same.length / asked.length).toFixed(3)}, ours 1`,
    ratio: ratio(times.theirs, times.ours),
  }
}

function makePeer(name, count) {
  const { module, version, missing } = peer(name.split(' ')[0])
  if (missing !== undefined) return { missing }
  if (name.startsWith('usearch')) return { version, ...usearch(module, name.endsWith('i8') ? 'i8' : 'f32') }
  return { version, ...hnswlib(module, name.endsWith('force'), count) }
}

function usearch({ Index }, quantization) {
  const index = new Index({ metric: 'cos', connectivity: 16, dimensions: WIDTH, quantization })
  return {
    add: (key, row) => index.add(BigInt(key), row, 1),
    nearest: (query) => Number(index.search(query, 1, 1).keys[0]),
    replace(old, key, row) {
      index.remove(BigInt(old))
      index.add(BigInt(key), row, 1)
    },
  }
}

function hnswlib({ BruteforceSearch, HierarchicalNSW }, isBrute, count) {
  const index = isBrute ? new BruteforceSearch('cosine', WIDTH) : new HierarchicalNSW('cosine', WIDTH)
  if (isBrute) index.initIndex(count)
  else {
    index.initIndex(count, 16, 200, 100, true)
    index.setEf(64)
  }
  return {
    add: (key, row) => index.addPoint(Array.from(row), key),
    nearest: (query) => index.searchKnn(Array.from(query), 1).neighbors[0],
    replace(old, key, row) {
      if (isBrute) index.removePoint(old)
      else index.markDelete(old)
      if (isBrute) index.addPoint(Array.from(row), key)
      else index.addPoint(Array.from(row), key, true)
    },
  }
}
