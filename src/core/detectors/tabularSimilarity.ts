/**
 * Rows close to an earlier one: a copy with one number moved, the steps of a search through the columns.
 *
 * The score is the mean over the columns of the likeness of two cells (see {@link likeness}); how far the numbers of a
 * column spread is learned from the stream, or told by a schema. Departs from the reference, whose cosine of the raw
 * numbers calls nearly all rows alike; that is to be had by passing `embedding: rowVector(row)`.
 */
import { type ColumnSchema, checkRowSchema, type RowSchema } from '../canonical.ts'
import { refuse } from '../checkers.ts'
import { defineDetector } from '../detector.ts'
import { type CodedRow, RowCoder } from '../rowCoder.ts'
import { RowRing } from '../rowRing.ts'
import { readRows } from '../savedRows.ts'
import { BLACK_BOX_OPTIMIZATION } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { checkHistory } from './limits.ts'
import { type Memory, type SimilarityConfig, similarityLogic, type VectorQuery, vectorMemory } from './similarity.ts'

export interface TabularSimilarityConfig extends SimilarityConfig {
  /**
   * What the columns hold, such as the profile of `fitTabular`. A column that is not in it, or has no scale there, is told
   * by its cells and has its spread learned from the stream. Read for rows only, not for embeddings.
   */
  readonly schema: RowSchema | undefined
}

export const tabularSimilarity = defineDetector({
  family: 'similarity',
  modality: 'tabular',
  needs: 'row',
  version: 2,
  summary: 'nearest past row',
  techniques: [BLACK_BOX_OPTIMIZATION],
  paper: 'darusik/monitoring_toolkit, similarity_detector; our own likeness of cells',
  defaults: { threshold: 0.9, maxHistorySize: 100, similarity: undefined, schema: undefined },
  logic: (config: TabularSimilarityConfig, path) => similarityLogic(config, path, tableMemory(config, path)),
})

type TableQuery =
  | { readonly kind: 'row'; readonly row: CodedRow }
  | { readonly kind: 'embedding'; readonly vector: VectorQuery }

/** Rows, or embeddings of rows; one stream holds one of them. */
function tableMemory(config: TabularSimilarityConfig, path: string): Memory<TableQuery> {
  const capacity = checkHistory(config, path)
  const schema = config.schema === undefined ? undefined : copyOf(checkRowSchema(config.schema, `${path}.schema`))
  const vectors = vectorMemory(config, path)
  const coder = new RowCoder(schema)
  /** Working memory: the row that was checked. */
  let checked: TableQuery | undefined
  let rows = new RowRing(capacity)
  return {
    size: () => rows.size + vectors.size(),
    check(observation) {
      const kind = kindOf(observation)
      if (kind === 'row' && vectors.size() > 0) refuseMixture(kind, 'row')
      if (kind === 'embedding' && rows.size > 0) refuseMixture(kind, 'embedding')
      if (kind === 'embedding') return { kind, vector: vectors.check(observation) }
      const row = coder.code(observation.row!, 'row')
      if (checked?.kind !== 'row' || checked.row !== row) checked = { kind, row }
      return checked
    },
    keep(query) {
      if (query.kind === 'embedding') return query
      const { row } = query
      return { kind: query.kind, row: { ...row, cells: row.cells.slice() } }
    },
    checkBatch(queries) {
      const odd = queries.findIndex(({ kind }) => kind !== queries[0]?.kind)
      if (odd !== -1) refuseMixture(queries[odd]!.kind, `[${odd}].${queries[odd]!.kind}`)
      vectors.checkBatch(queries.flatMap((query) => (query.kind === 'embedding' ? [query.vector] : [])))
    },
    mayThrow: vectors.mayThrow,
    nearest: (query) => (query.kind === 'row' ? rows.nearest(query.row) : vectors.nearest(query.vector)),
    learn(query, nearest) {
      if (query.kind === 'row') rows.push(query.row, nearest)
      else vectors.learn(query.vector, nearest)
    },
    fields: [...vectors.fields, 'rows'],
    save: () => ({ ...vectors.save(), rows: rows.save() }),
    read(fields) {
      const replace = vectors.read(fields)
      const saved = new RowRing(capacity, readRows(fields['rows']!, capacity))
      if (saved.size > 0 && dimensionOf(fields) > 0) {
        refuse('bad_snapshot', 'must hold rows or vectors, not both', fields['rows'], 'state.rows')
      }
      return () => {
        replace()
        rows = saved
      }
    },
    clear() {
      vectors.clear()
      rows = new RowRing(capacity)
    },
    bytes: () => rows.bytes() + vectors.bytes(),
    config: () => (schema === undefined ? {} : { schema: copyOf(schema) as PlainData }),
    details: () => ({ ...vectors.details(), spreads: rows.spreads() }),
  }

  function kindOf({ row, embedding }: Observation): 'row' | 'embedding' {
    if (row === undefined && embedding === undefined) refuse('bad_query', 'pass a row { column: cell }', row, 'row')
    if (row === undefined) return 'embedding'
    if (embedding !== undefined)
      refuse('bad_query', 'must not come with a row: pass one of them', embedding, 'embedding')
    if (config.similarity === undefined) return 'row'
    return refuse('bad_query', 'must be left out: `similarity` compares vectors, pass { embedding }', row, 'row')
  }
}

function refuseMixture(kind: 'row' | 'embedding', path: string): never {
  const other = kind === 'row' ? 'an embedding' : 'a row'
  refuse('bad_query', `must be ${other} like the queries before; keep to one, or reset the detector`, kind, path)
}

function dimensionOf(fields: Readonly<Record<string, PlainData>>): number {
  return (fields['vectors'] as { readonly dimension: number }).dimension
}

/** A copy that shares nothing: neither the maker nor a reader of the description can change the schema in force. */
function copyOf(schema: RowSchema): RowSchema {
  return Object.fromEntries(Object.entries(schema).map(([name, column]) => [name, copyOfColumn(column)]))
}

function copyOfColumn(column: ColumnSchema): ColumnSchema {
  if (column.type === 'number' && column.missing !== undefined) return { ...column, missing: [...column.missing] }
  if (column.type === 'category' && column.values !== undefined) return { ...column, values: [...column.values] }
  return { ...column }
}
