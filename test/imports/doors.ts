/** The doors of the package, and a little work for each, as code that a user could have written. */

export interface Door {
  /** Such as `monitaur/core`. */
  readonly name: string
  /** Where it may be imported. Elsewhere it must say what to use instead. */
  readonly where: 'everywhere' | 'servers' | 'node'
  /** Of `door`, the module: gives what {@link says} is. */
  readonly use: string
  readonly says: unknown
}

export const DOORS: readonly Door[] = [
  {
    name: 'monitaur',
    where: 'everywhere',
    use: `async ({ getDetector }) => {
      const detector = getDetector('text_similarity')
      await detector.process({ input: 'How do I reset my password?' })
      return (await detector.process({ input: 'How do I reset my pasword?' })).score.toFixed(4)
    }`,
    says: '0.9248',
  },
  {
    name: 'monitaur/core',
    where: 'everywhere',
    use: `({ textFingerprint }) => textFingerprint('Hello world!').slice(0, 8)`,
    says: '7509e5bd', // of the reference toolkit
  },
  {
    name: 'monitaur/embed',
    where: 'everywhere',
    use: `async ({ getDetector }) => {
      const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 37) % 251)
      const detector = getDetector('image_repetition', { threshold: 2 })
      const input = { data, width: 64, height: 64, channels: 3 }
      return (await detector.processBatch([{ input }, { input }])).map(({ suspicious }) => suspicious)
    }`,
    says: [false, true],
  },
  {
    name: 'monitaur/edge',
    where: 'everywhere',
    use: `async ({ monitorFetch, fromJson }) => {
      const { createMonitor } = await import('monitaur')
      const monitor = createMonitor({ detectors: ['text_repetition'] })
      const query = fromJson({ input: '$.text' })
      const watched = monitorFetch(async () => new Response('yes'), { monitor, query, client: () => 'alice' })
      const headers = { 'content-type': 'application/json' }
      const request = new Request('http://localhost/', { method: 'POST', headers, body: '{ "text": "a" }' })
      return await (await watched(request)).text()
    }`,
    says: 'yes',
  },
  {
    name: 'monitaur/laws',
    where: 'everywhere',
    use: `({ areaUnderRoc }) => areaUnderRoc([true, false].map((suspicious) => ({ suspicious, score: +suspicious })))`,
    says: 1,
  },
  {
    name: 'monitaur/worker',
    where: 'everywhere',
    use: `async ({ startWorker }) => {
      if (typeof document === 'undefined') return typeof startWorker
      const host = startWorker(openWorker)
      const detector = host.getDetector('text_repetition', { threshold: 2 })
      const results = await detector.processBatch([{ input: 'a' }, { input: 'A ' }])
      host.dispose()
      return results[1].suspicious ? 'in a worker' : 'nothing'
    }`,
    says: 'in a worker',
  },
  {
    name: 'monitaur/eval',
    where: 'everywhere',
    use: `({ ATTACKS }) => ATTACKS.some(({ name }) => name === 'simba')`,
    says: true,
  },
  {
    name: 'monitaur/server',
    where: 'servers',
    use: `async ({ checkConfig, createServerApp }) => {
      const app = createServerApp({ config: checkConfig({}), isLocal: true })
      await app.open()
      return (await app.fetch(new Request('http://localhost/health'))).status
    }`,
    says: 200,
  },
  {
    name: 'monitaur/eval/node',
    where: 'node',
    use: `async ({ loadParts }) => (await loadParts([])).clients.has('simba')`,
    says: true,
  },
]

export interface Outcome {
  /** Of the exports. */
  readonly names?: readonly string[]
  readonly said?: unknown
  /** The message of what was thrown. */
  readonly error?: string
}

/** A page has workers, Node has the doors for Node, the edge neither. */
export type HostKind = 'node' | 'edge' | 'page'

export type Outcomes = Readonly<Record<string, Outcome>>

/** How a host names the two doors that are files. */
export interface Files {
  /** An expression that gives the bytes or the module of `monitaur/kernels.wasm`; what it needs stands in `imports`. */
  readonly wasm: string
  /** An expression that gives a worker, where there are workers. */
  readonly worker?: string
  readonly imports?: string
}

const KERNELS = 'monitaur/kernels.wasm'

/** A module that opens all doors, one after the other, and exports what came of it. */
export function probe({ wasm, worker = 'undefined', imports = '' }: Files): string {
  const doors = DOORS.map(({ name, use }) => `  await open('${name}', () => import('${name}'), ${use})`)
  return `${imports}
const openWorker = () => ${worker}
export async function openDoors() {
  const outcomes = {}
  const open = async (name, load, use) => {
    try {
      const door = await load()
      outcomes[name] = { names: Object.keys(door).sort(), said: await use(door) }
    } catch (error) {
      outcomes[name] = { error: String(error?.message ?? error) }
    }
  }
${doors.join('\n')}
  await open('${KERNELS}', async () => {
    const source = await (${wasm})
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source)
    return Object.fromEntries(WebAssembly.Module.exports(module).map(({ name }) => [name, true]))
  }, () => 'compiled')
  return outcomes
}
`
}

/** What a door shows in a host: `ok`, or what is wrong. Names are compared with those in Node. */
export function judge(door: string, { names, said, error }: Outcome, reference: Outcomes, kind: HostKind): string {
  const { where = 'everywhere', says = 'compiled' } = DOORS.find(({ name }) => name === door) ?? {}
  if (where !== 'everywhere' && (kind === 'page' || (kind === 'edge' && where === 'node'))) {
    const tells = error?.includes('needs Node, Deno') ?? false
    return tells ? 'says where to go' : `must refuse: ${error ?? JSON.stringify(said)}`
  }
  if (error !== undefined) return `failed: ${error.slice(0, 200)}`
  const here = door === 'monitaur/worker' && kind !== 'page' ? 'function' : says
  const isSame =
    (kind === 'edge' && where === 'servers') || JSON.stringify(names) === JSON.stringify(reference[door]?.names)
  if (!isSame) return `other names: ${names?.join(' ')}`
  return JSON.stringify(said) === JSON.stringify(here) ? 'ok' : `said ${JSON.stringify(said)}`
}
