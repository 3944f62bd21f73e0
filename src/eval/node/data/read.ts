/** Labelled data by its path: what it is, the name and the content say. */
import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { MonitorError } from '../../../core/index.ts'
import { TOY_SHAPE, toyPictures } from '../../toy.ts'
import type { Shape } from '../../types.ts'
import { readCifar, readIdx } from './binary.ts'
import type { Dataset } from './dataset.ts'
import { LABELS_FILE, readFolder } from './folder.ts'
import { readTable, type TableOptions } from './table.ts'

const IDX = /images[^/\\]*idx3[^/\\]*$/

/**
 * - `*.bin`: pictures as CIFAR-10 has them · `*images*idx3*`: as MNIST has them, with the labels beside
 * - a folder with `labels.csv`: PNG, JPEG and WebP files, brought to `shape`; or a folder with one of the files above
 * - `*.csv`: texts, or rows
 *
 * @throws `bad_config` for what is none of these, is empty, or does not say what it should.
 */
export async function readData(path: string, shape: Shape, options: TableOptions = {}): Promise<Dataset> {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new MonitorError('bad_config', 'is not there', path)
  if (found.isDirectory()) return readDirectory(path, shape)
  const name = basename(path)
  if (IDX.test(name)) return readIdx(path)
  if (name.endsWith('.bin')) return readCifar(path)
  if (/\.csv$/i.test(name)) return readTable(path, options)
  throw new MonitorError('bad_config', `must be *.bin, *images*idx3*, *.csv or a folder with ${LABELS_FILE}`, path)
}

async function readDirectory(folder: string, shape: Shape): Promise<Dataset> {
  const names = readdirSync(folder)
  if (names.length === 0) throw new MonitorError('bad_config', 'is empty', folder)
  if (names.includes(LABELS_FILE)) return readFolder(folder, shape)
  const files = names.filter((name) => name.endsWith('.bin') || IDX.test(name))
  if (files.length === 1) return readData(join(folder, files[0]!), shape)
  const message = `must have ${LABELS_FILE}, or one file *.bin or *images*idx3*; it has ${files.length} of those`
  throw new MonitorError('bad_config', message, folder)
}

/** Pictures that need no file. */
export function toyData(): Dataset<'image'> {
  return { name: 'toy', kind: 'image', shape: TOY_SHAPE, hash: 'toy-1', items: toyPictures(400) }
}
