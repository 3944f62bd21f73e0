#!/usr/bin/env node
/** The program `monitaur`: `main` with this process around it. Importing the file does nothing. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { isMainThread } from 'node:worker_threads'
import { main } from './main.ts'

const YOUNG_BYTES = 4 * 2 ** 20
/** Some 8 MB. */
const MOST_LIVING = 64

if (isMainThread && isProgram()) {
  const interrupt = new AbortController()
  process.once('SIGINT', () => interrupt.abort()) // the second one ends the process the hard way
  const { argv, env, stdin, stdout, stderr } = process
  const now = () => performance.now()
  if (argv[2] === 'serve') keepMemoryLow()
  process.exitCode = await main(argv.slice(2), { env, stdin, stdout, stderr, now, interrupted: interrupt.signal })
}

/** True when node was started with this file, be it through a link such as `node_modules/.bin/monitaur`. */
function isProgram(): boolean {
  try {
    return realpathSync(process.argv[1] ?? '') === realpathSync(fileURLToPath(import.meta.url))
  } catch {
    return false // started with -e, or bundled to a place that is no file
  }
}

/**
 * Left alone, V8 lets the garbage of a busy server grow to several times its state before it looks: 150 MB where this
 * makes it 90, at the same rate (`npm run bench:server`). The young generation stays as it is set up here; the old one is
 * collected when it has doubled.
 */
function keepMemoryLow(): void {
  growYoungGeneration()
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=100')
  // Little lives on of it, so one thread is done before others are awake.
  setFlagsFromString('--no-parallel-scavenge')
}

/**
 * From 1 or 2 MB to 4, so that a busy server looks through it less often. V8 reads the size itself on its command line
 * only; later it grows once more has lived on than fits, so here something does live on for a moment.
 */
function growYoungGeneration(): void {
  const factor = Math.round(YOUNG_BYTES / youngBytes())
  if (factor < 2) return
  setFlagsFromString(`--semi-space-growth-factor=${factor}`)
  const living: object[] = []
  for (let i = 0; i < MOST_LIVING && youngBytes() < 0.9 * YOUNG_BYTES; i++) {
    living.push(Array.from({ length: 2000 }, () => ({})))
  }
}

/** The half of the young generation that is in use. */
function youngBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  return young === undefined ? Infinity : young.space_used_size + young.space_available_size
}
