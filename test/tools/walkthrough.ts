/**
 * Does what a page of docs tells its reader to do, from top to bottom, in an empty folder: writes the files, runs the
 * commands, compares what they print, starts the servers, opens the page. Only installing is left out: that every package
 * named there is one that this repository has is looked up instead. With `MONITAUR_TARBALL`, the path of what `npm pack` wrote,
 * it is not left out, and how long each step took is written to reports/first-hour.ndjson: `node scripts/first-hour.mjs`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { type Block, blocksOf } from './blocks.ts'
import { until } from './until.ts'

const root = resolve(import.meta.dirname, '../..')
const COMMAND_MS = 120_000
/** What a reader installs, who really does. */
const TARBALL = process.env['MONITAUR_TARBALL']
const PORTS = /\b(?:8000|8787|9090)\b/g

export interface WalkOptions {
  /** Puts files of the reader's own into the folder. */
  readonly prepare?: (folder: string) => void
  /** Opens the address and answers with the text of the page, for blocks `text page`. */
  readonly open?: (address: string, expected: string) => Promise<string>
}

/** Walks through `docs/{page}.md`; rejects where it does not tell the truth, else says how many outputs were compared. */
export async function walk(page: string, { prepare, open }: WalkOptions = {}): Promise<number> {
  const folder = emptyFolder(page)
  prepare?.(folder)
  const ports = await freePorts()
  const text = readFileSync(join(root, 'docs', `${page}.md`), 'utf8')
  const servers: ChildProcess[] = []
  let printed: string | undefined
  let address = ''
  let compared = 0
  try {
    for (const block of blocksOf(text)) {
      const startedMs = Date.now()
      const code = block.code.replace(PORTS, (port) => String(ports[port]))
      const at = `docs/${page}.md:${block.line}`
      if (block.language === 'text') compared++
      if (block.file !== undefined) write(join(folder, block.file), code)
      else if (block.language === 'text' && block.words.includes('page')) {
        expect(await open!(address, code.trim()), at).toContain(code.trim())
      } else if (block.language === 'text') expect(printed, at).toBe(code.trim())
      else if (block.language !== 'sh') throw new Error(`${at}: a block of ${block.language} that is no file; name it`)
      else if (/^npm i /.test(code)) await install(code, folder, at)
      else if (block.words.includes('server')) {
        const port = Number(/(?:--port |:)(\d+)/.exec(code)?.[1] ?? ports['8000'])
        servers.push(await startServer(code, { folder, port, at }))
        address = `http://127.0.0.1:${port}/`
      } else printed = await run(code, folder, at)
      note({ page, step: stepOf(block), ms: Date.now() - startedMs })
    }
  } finally {
    await Promise.all(servers.map(end))
  }
  return compared
}

/** Beside a folder that is called monitaur and is this repository, as the pages take it. */
function emptyFolder(page: string): string {
  if (TARBALL !== undefined) {
    const place = mkdtempSync(join(tmpdir(), 'first-hour-'))
    symlinkSync(root, join(place, 'monitaur'))
    mkdirSync(join(place, page))
    return join(place, page)
  }
  const folder = join(root, 'reports/docs', page)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules/monitaur'))
  const beside = join(root, 'reports/docs/monitaur')
  if (!existsSync(beside)) symlinkSync(root, beside)
  return folder
}

async function install(code: string, folder: string, at: string): Promise<void> {
  if (TARBALL === undefined) for (const name of code.trim().split(' ').slice(2)) isHad(name, at)
  else await run(`npm init -y && ${code.trim().replace(/\bmonitaur\b/, `"${TARBALL}"`)}`, folder, at)
}

function stepOf({ language, words, code, file }: Block): string {
  if (file !== undefined) return `write ${file}`
  if (language === 'text') return words.includes('page') ? 'open the page' : 'compare'
  const [line = ''] = code.trim().split('\n')
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}

function note(step: { readonly page: string; readonly step: string; readonly ms: number }): void {
  if (TARBALL !== undefined) appendFileSync(join(root, 'reports/first-hour.ndjson'), `${JSON.stringify(step)}\n`)
}

function write(file: string, code: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, code)
}

/** A reader gets it from the registry; here it is what the tests run with. */
function isHad(name: string, at: string): void {
  const place = name === 'monitaur' ? 'package.json' : join('node_modules', name, 'package.json')
  if (!existsSync(join(root, place))) throw new Error(`${at}: ${name} is no package that the tests have`)
}

async function freePorts(): Promise<Readonly<Record<string, number>>> {
  const ports: Record<string, number> = {}
  const held = ['8000', '8787', '9090'].map(async (documented) => {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    ports[documented] = (server.address() as { port: number }).port
    return server
  })
  for (const server of await Promise.all(held)) await new Promise((done) => server.close(done))
  return ports
}

/** As a shell in the folder has it, with our own command line in the place of one that is not installed. */
function shell(code: string, folder: string) {
  const plain = { NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false' }
  if (TARBALL !== undefined) return { script: code, options: { cwd: folder, env: { ...withoutOurs(), ...plain } } }
  const script = code
    .replace(/\bnpx monitaur\b/g, `"${process.execPath}" "${join(root, 'dist/cli.js')}"`)
    .replace(/\bnpx /g, '')
  const path = [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  return { script, options: { cwd: folder, env: { ...process.env, ...plain, PATH: path } } }
}

/** The environment without what npm and npx put there for this process; where the cache is stays told. */
function withoutOurs(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_(?!config_cache$)/.test(name))
  const paths = (process.env['PATH'] ?? '').split(delimiter).filter((path) => !path.startsWith(root))
  return { ...Object.fromEntries(own), PATH: paths.join(delimiter) }
}

async function run(code: string, folder: string, at: string): Promise<string> {
  const { script, options } = shell(code, folder)
  try {
    const { stdout } = await promisify(execFile)('sh', ['-ec', script], { ...options, timeout: COMMAND_MS })
    return stdout.trim()
  } catch (thrown) {
    const { message, stdout } = thrown as { message: string; stdout?: string }
    throw new Error(`${at}: ${message}\n${stdout}`)
  }
}

interface Started {
  readonly folder: string
  readonly port: number
  readonly at: string
}

async function startServer(code: string, { folder, port, at }: Started): Promise<ChildProcess> {
  const { script, options } = shell(code, folder)
  const child = spawn('sh', ['-c', script], { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += String(text)))
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
      return (await isOpen(port)) || undefined
    }, COMMAND_MS)
    return child
  } catch (thrown) {
    await end(child)
    throw new Error(`${at}: did not start: ${(thrown as Error).message}\n${printed}`)
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('connect', () => done(true)).once('error', () => done(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** The shell and all that it has started. */
async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) =>
    child.exitCode === null && child.signalCode === null ? child.once('exit', done) : done(0),
  )
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(-child.pid!, signal)
    } catch {
      return // nobody is left in the group
    }
    await Promise.race([ended, new Promise((done) => setTimeout(done, 5000))])
  }
}
