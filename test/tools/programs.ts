/** Programs that tests need beside Node: found, or installed as a Debian package. */
import { execFile } from 'node:child_process'
import { access, constants, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

export const run = promisify(execFile)

const APT_INSTALL_MS = 600_000

/** The path of the first of these programs that is on PATH, or of the first of these places where one is. */
export async function findProgram(
  names: readonly string[],
  places: readonly string[] = [],
): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)))
  for (const path of [...paths, ...places]) if (await isExecutable(path)) return path
  return undefined
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Installs a Debian package. Rejects where this is no Debian, or where nobody may install. */
export async function installByApt(name: string): Promise<void> {
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '')
  if (!/^ID(_LIKE)?=.*(debian|ubuntu)/m.test(system)) throw new Error('this is no Debian or Ubuntu')
  const prefix = await rootPrefix()
  say(`installing ${name} with apt …`)
  const [program, ...before] = [...prefix, 'apt-get']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const limits = { env, timeout: APT_INSTALL_MS, maxBuffer: 64 * 2 ** 20 }
  await run(program!, [...before, 'update'], limits)
  await run(program!, [...before, 'install', '-y', '--no-install-recommends', name], limits)
}

/** Nothing as root, else sudo if it asks for no password. */
async function rootPrefix(): Promise<readonly string[]> {
  if (process.getuid?.() === 0) return []
  await run('sudo', ['-n', 'true']).catch(() => {
    throw new Error('not root, and sudo wants a password')
  })
  return ['sudo', '-n']
}

/** Why some work failed, in one line; undefined if it did not. */
export async function reasonOfFailure(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (thrown) {
    if ((thrown as { killed?: boolean }).killed) return 'took too long'
    const { message, stderr } = thrown as Error & { readonly stderr?: string }
    const lines = (stderr ?? '')
      .split('\n')
      .filter((line) => /error|fail|unable/i.test(line) && !/log of this/.test(line))
    return (lines[0] ?? message).trim().slice(0, 200)
  }
}

/** To the error stream: tests own the output. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
