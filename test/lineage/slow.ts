/**
 * The rule of the descent lineage once more, written from its description alone: plain objects and lists, everything
 * copied, everything compared, the projection multiplied out. It shares nothing with the detector but the logarithm.
 */
import { log } from '../../src/core/math.ts'

/** The constants by the names they have in the description. */
export interface Constants {
  /** Largest step, in levels of 255. */
  readonly TAU: number
  readonly R: number
  readonly A: number
  readonly G: number
  readonly C: number
  readonly ALPHA: number
  readonly LAM: number
  readonly EPS: number
  readonly NREC: number
  readonly DROP: number
  readonly REL: number
  readonly RATIO: number
  readonly rule: 'M' | 'S'
  readonly gate: 'largest' | 'percentile98'
  readonly parent: 'distance' | 'clipped'
  readonly storage: 'projected' | 'bytes' | 'exact'
  readonly outputs: 'probabilities' | 'logits'
  readonly evict: 'oldest' | 'unadopted'
  readonly key: number
}

const CONSTANTS: Constants = {
  TAU: 20,
  R: 32,
  A: 4,
  G: 8,
  C: 3,
  ALPHA: 0.01,
  LAM: 0.9,
  EPS: 0.03,
  NREC: 3,
  DROP: 3,
  REL: 0.35,
  RATIO: 0.8,
  rule: 'M',
  gate: 'largest',
  parent: 'distance',
  storage: 'projected',
  outputs: 'probabilities',
  evict: 'oldest',
  key: 0,
}

const D0 = 1e-3

/** What a path remembers of its tip. */
interface Stats {
  query: number
  m: number
  W: number
  rec: number
  nrec: number
  dn: number
  up: number
  k: number
}

interface Node {
  readonly query: number
  readonly point: Point
  readonly m: number
  votes: number
  adopted: boolean
  /** The adopted ancestor's; after the adoption its own. */
  stats: Stats
}

interface Group {
  readonly length: number
  readonly classes: number
  readonly ref: number
  readonly mStart: number
  ring: Node[]
  adopted: Node[]
  lastUse: number
}

/** One vector in the forms that are compared. */
interface Point {
  /** For the gate, in levels of 255: whole ones, or sixteenths. */
  readonly gate: readonly number[]
  /** For the distance, whole numbers of `unit`. */
  readonly place: readonly number[]
}

/** What is said of one query: the alarms of the description, and the path that the query goes on. */
export interface SlowVerdict {
  readonly kind: 'new' | 'repeat' | 'step'
  readonly parent: number | null
  /** The query made its parent adopted. */
  readonly adoption: boolean
  /** S or M if this very query raises the alarm of the description. */
  readonly alarm: 'S' | 'M' | null
  readonly ref: number
  readonly m: number
  readonly mStart: number
  readonly path: Stats
  readonly score: number
}

export function createSlow(
  options: Partial<Constants> = {},
): (x: ArrayLike<number>, l: ArrayLike<number>) => SlowVerdict {
  const c = { ...CONSTANTS, ...options }
  const groups: Group[] = []
  let query = 0

  return (x, l) => {
    query++
    const point = pointOf(Array.from(x), c)
    const candidates: { readonly g: Group; readonly v: Node; readonly d: number }[] = []
    for (const g of groups) {
      if (g.length !== x.length || g.classes !== l.length) continue
      for (const v of [...g.ring, ...g.adopted]) candidates.push({ g, v, d: squared(point, v.point, x.length, c) })
    }
    // The nearest, of equals the oldest.
    candidates.sort((a, b) => a.d - b.d || a.v.query - b.v.query)
    const nearest = candidates[0]
    if (nearest === undefined || !passes(point, nearest.v.point, c)) return open(point, x.length, Array.from(l))
    const { g, v, d } = nearest
    g.lastUse = query
    const m = margin(Array.from(l), g.ref, c)
    if (isDuplicate(d, point, v.point, x.length, c)) return say('repeat', g, v, m, v.stats, false)
    let adoption = false
    if (v.adopted) {
      g.adopted = [...g.adopted.filter((node) => node !== v), v]
    } else {
      v.votes++
      if (v.votes >= c.C) {
        adopt(g, v)
        adoption = true
      }
    }
    const child: Node = { query, point, m, votes: 0, adopted: false, stats: { ...v.stats } }
    g.ring.push(child)
    if (g.ring.length > c.R) g.ring.shift()
    return say('step', g, v, m, child.stats, adoption)
  }

  function open(point: Point, length: number, l: number[]): SlowVerdict {
    const ref = l.indexOf(Math.max(...l))
    const mStart = margin(l, ref, c)
    const stats = { query, m: mStart, W: 0, rec: mStart, nrec: 0, dn: 0, up: 0, k: 0 }
    const root: Node = { query, point, m: mStart, votes: 0, adopted: true, stats }
    const g: Group = { length, classes: l.length, ref, mStart, ring: [], adopted: [root], lastUse: query }
    groups.push(g)
    if (groups.length > c.G) {
      const others = groups.filter((other) => other !== g)
      const idle = others.filter(({ ring, adopted }) => [...ring, ...adopted].every((node) => node.stats.k === 0))
      const among = c.evict === 'unadopted' && idle.length > 0 ? idle : others
      const least = among.reduce((a, b) => (b.lastUse < a.lastUse ? b : a))
      groups.splice(groups.indexOf(least), 1)
    }
    return say('new', g, undefined, mStart, stats, false)
  }

  function adopt(g: Group, v: Node): void {
    const q = v.stats
    const inc = v.m - q.m
    const isRecord = v.m < q.rec - c.EPS
    v.stats = {
      query: v.query,
      m: v.m,
      W: q.W + (inc < 0 ? log(1 + c.LAM) : inc > 0 ? log(1 - c.LAM) : 0),
      rec: isRecord ? v.m : q.rec,
      nrec: isRecord ? q.nrec + 1 : q.nrec,
      dn: q.dn + Math.max(0, -inc),
      up: q.up + Math.max(0, inc),
      k: q.k + 1,
    }
    v.adopted = true
    g.ring = g.ring.filter((node) => node !== v)
    g.adopted.push(v)
    if (g.adopted.length > c.A) g.adopted.shift()
  }

  function say(
    kind: SlowVerdict['kind'],
    g: Group,
    v: Node | undefined,
    m: number,
    path: Stats,
    adoption: boolean,
  ): SlowVerdict {
    const alarm = !adoption ? null : alarmsS(path) ? 'S' : alarmsM(path, g.mStart) ? 'M' : null
    const parent = v === undefined ? null : v.query
    return {
      kind,
      parent,
      adoption,
      alarm,
      ref: g.ref,
      m,
      mStart: g.mStart,
      path: { ...path },
      score: score(path, g.mStart),
    }
  }

  function alarmsS({ W }: Stats): boolean {
    return W >= -log(c.ALPHA)
  }

  function alarmsM({ m, nrec, dn, up }: Stats, mStart: number): boolean {
    const drop = mStart - m
    return nrec >= c.NREC && drop >= c.DROP && drop >= c.REL * Math.abs(mStart) && (dn - up) / (dn + up) >= c.RATIO
  }

  /** The share of the condition that is furthest from being met, at least 0. */
  function score({ W, m, nrec, dn, up }: Stats, mStart: number): number {
    const s = Math.max(0, W) / -log(c.ALPHA)
    const drop = mStart - m
    if (c.rule === 'S' || drop <= 0 || dn <= up) return s
    const parts = [nrec / c.NREC, drop / c.DROP, (dn - up) / (dn + up) / c.RATIO]
    if (c.REL * Math.abs(mStart) > 0) parts.push(drop / (c.REL * Math.abs(mStart)))
    return Math.max(s, Math.min(...parts))
  }
}

/** Whether a verdict's path stands at the alarm of a rule, whenever it got there. */
export function reached({ path, mStart }: SlowVerdict, options: Partial<Constants>): 'S' | 'M' | null {
  const c = { ...CONSTANTS, ...options }
  if (path.W >= -log(c.ALPHA)) return 'S'
  const drop = mStart - path.m
  const isM =
    path.nrec >= c.NREC &&
    drop >= c.DROP &&
    drop >= c.REL * Math.abs(mStart) &&
    (path.dn - path.up) / (path.dn + path.up) >= c.RATIO
  return isM ? 'M' : null
}

function margin(l: number[], ref: number, { outputs }: Constants): number {
  const values = outputs === 'logits' ? l : l.map((p) => log(Math.max(p, 1e-12)))
  const others = values.filter((_, j) => j !== ref)
  const m = values[ref]! - Math.max(...others)
  return Math.min(Math.max(m, -1e9), 1e9)
}

/** Short vectors are kept exactly, whatever is asked for. */
function storageOf(length: number, { storage }: Constants): Constants['storage'] {
  return length <= 256 ? 'exact' : storage
}

function pointOf(x: number[], c: Constants): Point {
  const units = x.map((v) => Math.floor(v * 4080 + 0.5))
  const storage = storageOf(x.length, c)
  if (storage === 'exact') return { gate: units.map((u) => u / 16), place: units }
  const levels = units.map((u) => Math.floor((u + 8) / 16))
  return { gate: levels, place: storage === 'bytes' ? levels : project(units, c.key) }
}

const matrices = new Map<string, Int8Array>()

/** Multiplied by a 256-row matrix of ±1: a Hadamard matrix whose columns repeat every 256 places, each with a sign. */
function project(units: number[], key: number): number[] {
  const n = units.length
  const matrix = matrices.get(`${n} ${key}`) ?? makeMatrix(n, key)
  matrices.set(`${n} ${key}`, matrix)
  return Array.from({ length: 256 }, (_, row) => {
    let sum = 0
    for (let i = 0; i < n; i++) sum += matrix[row * n + i]! * units[i]!
    return sum
  })
}

function makeMatrix(n: number, key: number): Int8Array {
  const matrix = new Int8Array(256 * n)
  for (let i = 0; i < n; i++) {
    const negative = Math.floor(signs(key, i - (i % 32)) / 2 ** (i % 32)) % 2 === 1
    for (let row = 0; row < 256; row++) {
      let ones = 0
      for (let bit = 0; bit < 8; bit++) if (((row >> bit) & 1) === 1 && ((i >> bit) & 1) === 1) ones++
      matrix[row * n + i] = (ones % 2 === 1) === negative ? 1 : -1
    }
  }
  return matrix
}

/** 32 signs as an unsigned number: the mixing of MurmurHash3 over the key's low and high word and the place. */
function signs(key: number, place: number): number {
  const high = Math.floor(key / 2 ** 32)
  const h = mix(mix(low32(BigInt(key)), BigInt(high)), BigInt(place))
  const a = low32((h ^ (h >> 16n)) * 0x85ebca6bn)
  const b = low32((a ^ (a >> 13n)) * 0xc2b2ae35n)
  return Number(b ^ (b >> 16n))
}

function mix(h: bigint, word: bigint): bigint {
  const k = rotate(low32(word * 0xcc9e2d51n), 15n)
  return low32(rotate(h ^ low32(k * 0x1b873593n), 13n) * 5n + 0xe6546b64n)
}

function rotate(h: bigint, by: bigint): bigint {
  return low32(h << by) | (h >> (32n - by))
}

function low32(value: bigint): bigint {
  return value & 0xffffffffn
}

function squared(a: Point, b: Point, length: number, c: Constants): number {
  const unitsPerLevel = storageOf(length, c) === 'exact' ? 16 : 1
  let sum = 0
  for (const [i, value] of a.place.entries()) {
    const step = Math.abs(value - b.place[i]!)
    const cut = c.parent === 'clipped' ? Math.min(step, c.TAU * unitsPerLevel) : step
    sum += cut * cut
  }
  return sum
}

function passes(a: Point, b: Point, { TAU, gate }: Constants): boolean {
  const above = a.gate.filter((value, i) => Math.abs(value - b.gate[i]!) > TAU).length
  return above <= (gate === 'largest' ? 0 : Math.floor(a.gate.length * 0.02))
}

function isDuplicate(squaredDistance: number, a: Point, b: Point, length: number, c: Constants): boolean {
  const storage = storageOf(length, c)
  if (storage === 'bytes') return Math.sqrt(squaredDistance) / 255 <= D0
  if (storage === 'exact') return Math.sqrt(squaredDistance) / 4080 <= D0
  // 256 rows of ±1 make a squared distance 256 times as large; sums may agree by design, so no number may move a level.
  const isNear = Math.sqrt(squaredDistance / 256) / 4080 <= D0
  return isNear && a.gate.every((value, i) => Math.abs(value - b.gate[i]!) <= 1)
}
