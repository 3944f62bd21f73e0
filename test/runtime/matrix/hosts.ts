/** The runtimes of the matrix, each behind the same few verbs. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Miniflare } from 'miniflare'
import type { Backend } from 'monitaur'
import type { TestApp } from '../../tools/app.ts'
import { findNode, versionOf } from '../../tools/nodes.ts'
import { DENO, inProcess } from '../backends/inProcess.ts'
import { runInWorkerd } from '../backends/inWorkerd.ts'
import type { BackendRun } from '../backends/run.ts'
import type { Page } from './app/main.ts'
import type { Wanted } from './record.ts'
import type { MatrixRun } from './run.ts'

const modules = resolve(import.meta.dirname, '../../../node_modules')

/** A runtime that has been started. */
export interface Host {
  readonly version: string
  /** Runs every stream, or tells one step of one. */
  streams(wanted?: Wanted): Promise<MatrixRun>
  /** Runs our own network over `count` pictures and their copies; pages and Workers know one backend, WASM. */
  network(count: number, backend: Backend): Promise<BackendRun>
  close(): Promise<void>
}

/** What the hosts run. */
export interface Bundles {
  /** For Node, Deno and Bun. */
  readonly program: string
  /** For workerd. */
  readonly worker: string
  /** For Chromium. */
  readonly app: () => Promise<TestApp>
}

/** A runtime, and how to start it: rejects with what is missing and the remedy. */
export interface Runtime {
  readonly name: string
  readonly open: (bundles: Bundles) => Promise<Host>
}

type Program = readonly [string, ...string[]]

const BUN = [join(modules, '.bin/bun'), 'run', '--no-install'] as const

export const RUNTIMES: readonly Runtime[] = [
  ...([20, 22, 24] as const).map((major) => ({
    name: `Node ${major}`,
    open: async (bundles: Bundles) => {
      const node = [await findNode(major)] as const
      return openProgram(node, node, bundles)
    },
  })),
  { name: 'Chromium', open: (bundles) => openPage('here', bundles) },
  { name: 'Chromium worker', open: (bundles) => openPage('inWorker', bundles) },
  { name: 'workerd', open: openWorkerd },
  // Without any permission: the core needs none.
  {
    name: 'Deno',
    open: (bundles) => openProgram([DENO[0], 'run', '--no-prompt', '--no-remote', '--no-npm'], DENO, bundles),
  },
  { name: 'Bun', open: (bundles) => openProgram(BUN, BUN, bundles) },
]

async function openProgram(program: Program, withModels: Program, bundles: Bundles): Promise<Host> {
  const [path, ...args] = program
  const version = await versionOf(path)
  if (version === undefined) throw new Error(`${path} does not run; install with scripts: 'npm ci'`)
  return {
    version,
    async streams(wanted) {
      const more = wanted === undefined ? [] : [JSON.stringify(wanted)]
      const { stdout } = await promisify(execFile)(path, [...args, bundles.program, ...more], { maxBuffer: 2 ** 28 })
      return JSON.parse(stdout)
    },
    network: (count, backend) => inProcess(withModels, backend, count, []),
    close: async () => {},
  }
}

async function openPage(place: keyof Page['matrix'], { app }: Bundles): Promise<Host> {
  const { browser, server } = await app()
  const page = await browser.newPage()
  await page.goto(server.origin)
  await page.waitForFunction(() => 'matrix' in globalThis)
  type Call = readonly [place: keyof Page['matrix'], argument: unknown]
  const streams = ([at, wanted]: Call) => (globalThis as unknown as Page).matrix[at].streams(wanted as Wanted)
  const network = ([at, count]: Call) => (globalThis as unknown as Page).matrix[at].network(count as number)
  return {
    version: browser.version(),
    streams: (wanted) => page.evaluate(streams, [place, wanted] as const),
    network: (count) => page.evaluate(network, [place, count] as const),
    close: () => page.close(),
  }
}

async function openWorkerd({ worker }: Bundles): Promise<Host> {
  const { version } = JSON.parse(await readFile(join(modules, 'workerd/package.json'), 'utf8'))
  const script = { type: 'ESModule', path: 'worker.mjs', contents: await readFile(worker, 'utf8') } as const
  const miniflare = new Miniflare({ modules: [script], compatibilityDate: '2026-04-01', host: '127.0.0.1', port: 0 })
  await miniflare.ready
  return {
    version,
    async streams(wanted) {
      const response = await miniflare.dispatchFetch('http://localhost/', {
        method: 'POST',
        body: JSON.stringify(wanted ?? null),
      })
      if (!response.ok) throw new Error(await response.text())
      return (await response.json()) as MatrixRun
    },
    // In a Worker of its own: it is opt-in there, and larger.
    network: (count) => runInWorkerd(count, []),
    close: () => miniflare.dispose(),
  }
}
