/** Where the test data lies. It is no part of the repository: a test without its data is skipped and says so. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** The folder of data sets: `MONITAUR_DATA`, by default `../shared/data` beside the repository. */
export function dataDir(): string {
  return process.env['MONITAUR_DATA'] ?? resolve(repository, '../shared/data')
}

/** The folder of the reference's own answers: `MONITAUR_GOLDEN`, by default `golden` beside the data folder. */
export function goldenDir(): string {
  return process.env['MONITAUR_GOLDEN'] ?? resolve(dataDir(), '../golden')
}

/** True when a file or folder of the data folder is there. */
export function hasData(path: string): boolean {
  return existsSync(join(dataDir(), path))
}

/** True when a golden file is there. */
export function hasGolden(name: string): boolean {
  return existsSync(join(goldenDir(), goldenFile(name)))
}

/** A golden file, parsed: `{"$float": "NaN"}` and `{"$bigint": "12"}` become numbers and bigints. */
export function golden<T = unknown>(name: string): T {
  return JSON.parse(readFileSync(join(goldenDir(), goldenFile(name)), 'utf8'), revive) as T
}

function goldenFile(name: string): string {
  return name.endsWith('.json') ? name : `${name}.json`
}

const FLOATS: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity, '-0': -0 }

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$float' in value) return FLOATS[String(value.$float)]
  if ('$bigint' in value) return BigInt(String(value.$bigint))
  return value
}
