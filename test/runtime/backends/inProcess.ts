/** Our own network in a process of its own, as a user's program: the runtime's module loader finds the packages. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Backend } from 'monitaur'
import { bundleFile } from '../../tools/bundle.ts'
import type { BackendRun, GoldenPicture } from './run.ts'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../../..')

/** Deno with what a model needs: the packages' files, and onnxruntime's look at the environment. */
export const DENO = [
  join(root, 'node_modules/.bin/deno'),
  'run',
  '--no-prompt',
  '--allow-read',
  '--allow-env',
  '--allow-sys',
  '--node-modules-dir=manual',
] as const

/** What {@link BackendRun} tells, of a program such as `['node']`, over `count` pictures and the golden ones. */
export async function inProcess(
  [program, ...args]: readonly [string, ...string[]],
  backend: Backend,
  count: number,
  golden: readonly GoldenPicture[],
): Promise<BackendRun> {
  await mkdir(join(root, '.cache'), { recursive: true })
  const folder = await mkdtemp(join(root, '.cache/backend-')) // inside the package, which then finds itself by name
  try {
    const entry = join(folder, 'entry.ts')
    const call = `runBackend('${backend}', ${count}, ${JSON.stringify(golden)})`
    await writeFile(entry, `import { runBackend } from '${here}/run.ts'\nconsole.log(JSON.stringify(await ${call}))`)
    const file = join(folder, 'program.mjs')
    await bundleFile(entry, file, [/^monitaur/])
    const { stdout } = await promisify(execFile)(program, [...args, file], { cwd: root, maxBuffer: 2 ** 26 })
    return JSON.parse(stdout)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
