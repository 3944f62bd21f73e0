/** A Python process that answers line by line, and where one is found. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const THEIRS = fileURLToPath(new URL('theirs.py', import.meta.url))
const PLACES = ['python3', '/usr/bin/python3', 'python']
/** One thread, as ours. */
const ONE_THREAD = { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }

/**
 * The interpreter that `MONITAUR_PYTHON` names, or of those that are found the one that has most of the packages.
 *
 * @returns `{ python, versions, ask, end }`, or undefined where there is no Python.
 */
export async function openPython() {
  const named = process.env.MONITAUR_PYTHON
  let best
  for (const place of named === undefined ? PLACES : [named]) {
    const opened = await start(place)
    if (opened === undefined) continue
    const isBetter = best === undefined || packagesOf(opened) > packagesOf(best)
    if (isBetter) best?.end()
    else opened.end()
    if (isBetter) best = opened
  }
  return best
}

function packagesOf({ versions }) {
  return Object.values(versions).filter((version) => version !== null).length
}

async function start(place) {
  const child = spawn(place, [THEIRS], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...ONE_THREAD },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const gone = new Promise((resolve) => child.once('error', () => resolve({ done: true })))
  const next = async () => {
    const { done, value } = await Promise.race([lines.next(), gone])
    return done ? undefined : JSON.parse(value)
  }
  const about = await next()
  if (about === undefined) return undefined
  return {
    ...about,
    async ask(what) {
      child.stdin.write(`${JSON.stringify(what)}\n`)
      const answer = await next()
      if (answer === undefined) throw new Error(`Python ended on ${JSON.stringify(what)}; its last words stand above`)
      return answer
    },
    end: () => child.stdin.end(),
  }
}
