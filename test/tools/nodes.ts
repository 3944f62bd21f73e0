/** Other versions of Node for tests, from the package registry. They lie in `.cache/`, outside of this package's own tree. */
import { join, resolve } from 'node:path'
import { isExecutable, reasonOfFailure, run, say } from './programs.ts'

const INSTALL_MS = 240_000
const VERSIONS = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' } as const

/**
 * The path of a Node of this major version: the running one if it is that, else one that was installed before, or is now.
 * Never into the package's `node_modules`, where its `node` would take the place of the user's in every script. Rejects
 * with the command that failed.
 */
export async function findNode(major: keyof typeof VERSIONS): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const folder = resolve(import.meta.dirname, '../../.cache', `node-${major}`)
  const name = `node-${process.platform}-${process.arch}`
  const program = join(folder, 'node_modules', name, 'bin/node')
  if ((await versionOf(program)) === VERSIONS[major]) return program
  const args = ['install', `${name}@${VERSIONS[major]}`, '--prefix', folder, '--no-save', '--ignore-scripts']
  say(`installing Node ${VERSIONS[major]} …`)
  const failure = await reasonOfFailure(async () => {
    await run('npm', args, { timeout: INSTALL_MS })
  })
  if (failure === undefined) return program
  throw new Error(`no Node ${major}: 'npm ${args.join(' ')}' failed: ${failure}`)
}

/** The number in what a program answers to `--version`; undefined where there is no such program. */
export async function versionOf(program: string): Promise<string | undefined> {
  if (!(await isExecutable(program))) return undefined
  const { stdout } = await run(program, ['--version'])
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0]
}
