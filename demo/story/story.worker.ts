/** The Web Worker in which the story happens: model, clients and detectors. The page only draws. */
import modelUrl from '../../models/digits.onnx?inline'
import { MonitorError, type Snapshot, toMonitorError } from '../../src/core/index.ts'
import { type Backend, openBackend } from './backends.ts'
import { createDesk } from './desk.ts'
import type { StoryEvent } from './events.ts'
import type { AskState, BackendName, Draw, FromWorker, Play, StateAnswer, ToWorker } from './protocol.ts'
import { runStory } from './run.ts'
import { createWatch, type Watch } from './watch.ts'

interface Scope {
  postMessage(message: FromWorker): void
  onmessage: ((event: { readonly data: ToWorker }) => void) | null
}

const scope = self as unknown as Scope
/** Time after which what has happened is sent and messages are read, in ms. */
const SLICE_MS = 8

const file = bytesOf(modelUrl)
const opened = new Map<BackendName, Promise<Backend>>()
/** The request that counts. */
let current = 0

/** Thrown into a run that nobody waits for any more. */
class Superseded extends Error {}

scope.onmessage = ({ data }) => {
  if (data.kind === 'save' || data.kind === 'check') {
    scope.postMessage({ kind: 'state', id: data.id, request: data.request, answer: answerTo(data) })
    return
  }
  current = data.id
  const work = data.kind === 'play' ? play(data) : draw(data)
  work.catch((thrown) => {
    if (thrown instanceof Superseded) return
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    scope.postMessage({ kind: 'failed', id: data.id, message })
  })
}

async function play({ id, config, backend, base }: Play): Promise<void> {
  const { answer, report } = await open(id, backend)
  scope.postMessage({ kind: 'backend', id, report })
  let events: StoryEvent[] = []
  let last = performance.now()
  await runStory(config, {
    answer,
    now: () => performance.now(),
    pause,
    onEvent: (event) => events.push(event),
    onWatch: (watch) => {
      watched = watch
    },
    base,
  })
  flush()

  async function pause(): Promise<void> {
    if (performance.now() - last < SLICE_MS) return
    flush()
    await nextTask()
    last = performance.now()
    if (id !== current) throw new Superseded()
  }

  function flush(): void {
    if (events.length > 0) scope.postMessage({ kind: 'events', id, events })
    events = []
  }
}

/** The watch over the latest run. */
let watched: Watch | undefined

function answerTo(asked: AskState): StateAnswer {
  try {
    return { ok: true, snapshot: asked.kind === 'save' ? saved(asked.queries) : checked(asked.base) }
  } catch (thrown) {
    return { ok: false, error: toMonitorError(thrown, 'bad_snapshot').toJSON() }
  }
}

function saved(queries: number): Snapshot {
  if (watched === undefined) throw new MonitorError('bad_snapshot', 'no run has begun yet; try again in a moment')
  return watched.stateAt(queries)
}

/** Throws for what no run could go on from. */
function checked(base: Snapshot): Snapshot {
  createWatch(1, { protection: true, base })
  return base
}

let desk: ReturnType<typeof createDesk> | undefined

/** The visitor's own pictures: always by the plain network, which is here already. */
async function draw(message: Draw): Promise<void> {
  desk ??= createDesk(file)
  scope.postMessage(desk(message))
}

async function open(id: number, backend: BackendName): Promise<Backend> {
  const known = opened.get(backend)
  if (known !== undefined) return known
  const onProgress = (share: number, phase: string) => scope.postMessage({ kind: 'progress', id, share, phase })
  const made = openBackend(backend, { file, now: () => performance.now(), onProgress })
  opened.set(backend, made)
  made.catch(() => opened.delete(backend)) // so that the next request tries again
  return made
}

/** Lets messages in. A timer would be held back to 4 ms after a few. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

function bytesOf(dataUrl: string): Uint8Array {
  const text = atob(dataUrl.slice(dataUrl.indexOf(',') + 1))
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
