#!/usr/bin/env node
/** The program `monitaur`: `main` with this process around it. Importing the file does nothing. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { main } from './main.ts'

if (isProgram()) {
  const interrupt = new AbortController()
  process.once('SIGINT', () => interrupt.abort()) // the second one ends the process the hard way
  const { argv, env, stdin, stdout, stderr } = process
  const now = () => performance.now()
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
