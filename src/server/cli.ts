#!/usr/bin/env node
/** The program `monitaur`: `main` with this process around it. Importing the file does nothing. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { isMainThread } from 'node:worker_threads'
import { main } from './main.ts'

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
 * makes it 90, at the same rate (`npm run bench:server`). The young generation stays as small as it begins; the old one is
 * collected when it has doubled.
 */
function keepMemoryLow(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=100')
}
