/** The graph of near-duplicates: each query has an edge to the most similar earlier one, if that is near enough. */
import { bitCount, hexWord } from '../../hash.ts'
import { Ring } from '../../ring.ts'

/** Queries that hang together by their edges. */
export interface Component {
  /** Its queries in the window. */
  size: number
  /** Sum of the weights of their edges, in units of 2^−30. */
  weight: number
}

interface Node {
  hash: string
  /** Words of 32 bits. */
  words: Int32Array
  component: Component
  weight: number
}

export interface Link {
  /** Position of the earlier query, counted from the oldest, before this one was learned. */
  readonly index: number
  /** Bits that differ. */
  readonly distance: number
}

/** Of a node that is still to be filled. */
const NOBODY: Component = { size: 0, weight: 0 }
/** Hexadecimal digits of a word, and words of the longest hash. */
const WORD_DIGITS = 8
const MOST_WORDS = 4

/** A weight of 1. Whole numbers add up to the same in any order. */
export const ONE = 1_073_741_824
/** Estimated bytes of a query with a hash of 128 bits, and of a component. */
const NODE_BYTES = 240
const COMPONENT_BYTES = 48

/**
 * The last queries. Since a query has at most one edge, to an earlier one, it joins the component of that one or begins
 * its own: components never merge, and their scores are kept up to date at every edge. O(window) a query, exact for any
 * radius, where an index of blocks misses most pairs that differ in 20 bits or more.
 */
export class ProvenanceGraph {
  /** Working memory: the words of a hash that is looked for. */
  readonly #words = new Int32Array(MOST_WORDS)
  readonly #ring: Ring<Node>
  readonly #components = new Set<Component>()

  constructor(capacity: number) {
    this.#ring = new Ring(capacity)
  }

  get size(): number {
    return this.#ring.items.length
  }

  get components(): number {
    return this.#components.size
  }

  bytes(): number {
    return NODE_BYTES * this.size + COMPONENT_BYTES * this.components
  }

  /** The most similar earlier query whose hash is as long, the latest of equals, if at most `radius` bits differ. */
  nearest(hash: string, radius: number): Link | undefined {
    const words = this.#words
    const count = setWords(hash, words)
    let best = -1
    let least = radius
    for (let index = 0; index < this.size; index++) {
      const node = this.#ring.at(index)
      if (node.hash.length !== hash.length) continue
      const distance = bitsBetween(node.words, words, count)
      if (distance > least) continue
      least = distance
      best = index
    }
    return best < 0 ? undefined : { index: best, distance: least }
  }

  /** Takes a query in; the oldest leaves when the window is full. Returns its component. */
  push(hash: string, link: Link | undefined): Component {
    const component = link === undefined ? { size: 0, weight: 0 } : this.#ring.at(link.index).component
    return this.#add(hash, component, link === undefined ? 0 : weightOf(link.distance))
  }

  #add(hash: string, component: Component, weight: number): Component {
    this.#components.add(component)
    component.size++
    component.weight += weight
    const node = this.#vacate(hash.length / WORD_DIGITS)
    setWords(hash, node.words)
    node.hash = hash
    node.component = component
    node.weight = weight
    this.#ring.push(node)
    return component
  }

  /** The node of the oldest query, which leaves where the window is full, to be filled anew; or a new one. */
  #vacate(words: number): Node {
    const { items, capacity, oldest } = this.#ring
    if (items.length < capacity) return { hash: '', words: new Int32Array(words), component: NOBODY, weight: 0 }
    const node = items[oldest]!
    node.component.size--
    node.component.weight -= node.weight
    if (node.component.size === 0) this.#components.delete(node.component)
    if (node.words.length !== words) node.words = new Int32Array(words)
    return node
  }

  /** The score of each component, and the place of one of them. */
  scores(of: Component): { readonly scores: number[]; readonly place: number } {
    const list = [...this.#components]
    return { scores: list.map(({ weight }) => weight / ONE), place: list.indexOf(of) }
  }

  /** The hashes, the number of each query's component in the order of the components, and the weights of the edges. */
  save(): { readonly hashes: string[]; readonly members: Uint32Array; readonly weights: Uint32Array } {
    const numbers = new Map([...this.#components].map((component, i) => [component, i]))
    const nodes = this.#ring.list()
    return {
      hashes: nodes.map(({ hash }) => hash),
      members: Uint32Array.from(nodes, ({ component }) => numbers.get(component)!),
      weights: Uint32Array.from(nodes, ({ weight }) => weight),
    }
  }

  /** Fills an empty graph with what {@link save} gave and a reader checked. */
  load(hashes: readonly string[], members: Uint32Array, weights: Uint32Array): void {
    const most = members.reduce((largest, member) => Math.max(largest, member), -1)
    const components = Array.from({ length: most + 1 }, (): Component => ({ size: 0, weight: 0 }))
    for (const component of components) this.#components.add(component)
    for (const [i, hash] of hashes.entries()) this.#add(hash, components[members[i]!]!, weights[i]!)
  }
}

/** 1 / (distance + 1), as published for texts. */
function weightOf(distance: number): number {
  return Math.floor(ONE / (distance + 1))
}

/** The words of a hash into the first places of `words`; returns how many they are. */
function setWords(hash: string, words: Int32Array): number {
  const count = hash.length / WORD_DIGITS
  for (let i = 0; i < count; i++) words[i] = hexWord(hash, WORD_DIGITS * i)
  return count
}

function bitsBetween(a: Int32Array, b: Int32Array, words: number): number {
  let bits = 0
  for (let i = 0; i < words; i++) bits += bitCount(a[i]! ^ b[i]!)
  return bits
}
