/** Types are derived from the table of detectors: a wrong name, option or input is a compile error. */
import { describe, expectTypeOf, test } from 'vitest'
import {
  type ConfidenceMetadata,
  createDetector,
  createRegistry,
  defineDetector,
  type Observation,
} from '../src/core/index.ts'
import {
  type AsyncDetector,
  type Detection,
  getDetector,
  type RepetitionMetadata,
  type SimilarityMetadata,
} from '../src/index.ts'

describe('createDetector', () => {
  test('the name types the metadata', () => {
    const d = createDetector('confidence').process({ probabilities: [1] })
    expectTypeOf(d).toEqualTypeOf<Detection<ConfidenceMetadata>>()
    expectTypeOf(
      createDetector('text_repetition').process({ fingerprint: 'a' }).metadata,
    ).toEqualTypeOf<RepetitionMetadata>()
  })

  test('the name types the options', () => {
    createDetector('confidence', { mode: 'margin', threshold: 0.3 })
    createDetector('image_repetition', { radius: 4 })
    createDetector('descent_lineage', { rule: 'S', storage: 'bytes', parent: 'clipped' })
    // @ts-expect-error a rule that is not offered
    createDetector('descent_lineage', { rule: 'R' })
    // @ts-expect-error an unknown name
    createDetector('text_repitition')
    // @ts-expect-error an option of another detector
    createDetector('text_repetition', { radius: 4 })
    // @ts-expect-error an unknown mode
    createDetector('confidence', { mode: 'Margin' })
    // @ts-expect-error a string is no threshold
    createDetector('similarity', { threshold: '0.9' })
    // @ts-expect-error the featurizer's options belong to getDetector
    createDetector('text_similarity', { embedder: () => [1] })
  })
})

describe('what a detector needs decides its other options', () => {
  test('rows have a schema, times have none', () => {
    getDetector('content_fingerprint', { digest: 'sha256', window: 50, schema: { age: { type: 'number' } } })
    getDetector('neighbour_distance', { k: 5, embedder: () => [1] })
    getDetector('coverage', { benign: [1, 2], edges: [0.5], limits: { maxColumns: 5 } })
    getDetector('query_rate', { windows: [{ withinMs: 1000, queries: 5 }] })
    // @ts-expect-error no rows are looked at
    getDetector('query_rate', { schema: { age: { type: 'number' } } })
    // @ts-expect-error the hash is none of the user's
    getDetector('content_fingerprint', { hash: () => 'a' })
    createDetector('content_fingerprint').process({ shingles: { hashes: new Uint32Array(2), windows: 1 } })
    createDetector('query_rate').process({ timeMs: 5 })
  })
})

describe('getDetector', () => {
  test('the name types the input and the result', () => {
    const text = getDetector('text_similarity')
    expectTypeOf(text).toEqualTypeOf<AsyncDetector<string | readonly string[], SimilarityMetadata>>()
    text.process({ input: 'a' })
    text.process({ input: ['a', 'b'] })
    // @ts-expect-error a row is no text
    text.process({ input: { age: 5 } })
    const rows = getDetector('tabular_repetition')
    rows.process({ input: { age: 5, city: 'Vienna', member: true, note: null } })
    // @ts-expect-error a cell is no list
    rows.process({ input: { age: [5] } })
    const images = getDetector('image_similarity')
    images.process({ input: { data: new Uint8Array(3), width: 1, height: 1, channels: 3 } })
    images.process({ input: new Uint8Array(3) })
    // @ts-expect-error two channels are no picture
    images.process({ input: { data: new Uint8Array(2), width: 1, height: 1, channels: 2 } })
  })

  test('plug-ins get the decoded input of their kind', () => {
    getDetector('text_similarity', { embedder: (text) => [text.length] })
    getDetector('image_similarity', { embedder: async (pixels) => Float32Array.of(pixels.width) })
    getDetector('tabular_repetition', { hash: (row) => Object.keys(row).join(), schema: { age: { type: 'number' } } })
    // @ts-expect-error a hash belongs to the repetition detectors
    getDetector('text_similarity', { hash: (text: string) => text })
    // @ts-expect-error a schema belongs to tables
    getDetector('text_repetition', { schema: {} })
    // @ts-expect-error confidence embeds nothing
    getDetector('confidence', { embedder: () => [1] })
  })
})

describe('a detector of one’s own', () => {
  test('is typed by its spec', () => {
    const spec = defineDetector({
      family: 'mine',
      modality: 'text',
      needs: 'embedding',
      version: 1,
      summary: '',
      defaults: { depth: 3 },
      logic: (config: { readonly depth: number }) => ({
        check: (o: Observation) => o.embedding!,
        apply: (v: ArrayLike<number>) => {
          const metadata = { depth: config.depth }
          return { suspicious: false, score: v.length, threshold: 9, confidence: 0, reason: '', metadata }
        },
        save: () => null,
        load: () => {},
        clear: () => {},
        size: () => 0,
        bytes: () => 0,
        describe: () => ({ config: {}, details: {} }),
      }),
    })
    const registry = createRegistry().registerDetector('mine', spec)
    expectTypeOf(registry.createDetector('mine', { depth: 4 }).process({}).metadata).toEqualTypeOf<{ depth: number }>()
    getDetector('mine', { depth: 4, embedder: (text) => [text.length] }, { registry })
    // @ts-expect-error an option it does not have
    registry.createDetector('mine', { width: 4 })
    // @ts-expect-error the built-in registry does not know it
    createRegistry().createDetector('mine')
  })
})
