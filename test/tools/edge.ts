/** A monitor whose word can be set, and requests for the middleware. */
import type { Admission, Verdict } from '../../src/core/monitor/index.ts'
import type { EdgeEvent, MonitorOptions, Watcher } from '../../src/edge/index.ts'
import { createMonitor, type Query } from '../../src/embed/index.ts'

const { policy: OBSERVE } = createMonitor({ detectors: ['confidence'] })
const { policy: ENFORCE } = createMonitor({ detectors: ['confidence'], policy: { mode: 'enforce' } })

export interface FakeWatcher extends Watcher {
  /** What it was asked, in order. */
  readonly asked: Query[]
}

export interface FakeOptions {
  readonly mode?: 'observe' | 'enforce'
  readonly onError?: 'open' | 'closed'
  readonly admit?: (client: string) => Admission | Promise<Admission>
  readonly inspect?: (query: Query) => Partial<Verdict> | Promise<Partial<Verdict>>
}

/** Allows everything, unless it is told otherwise. */
export function fakeWatcher({ mode = 'enforce', onError = 'open', admit, inspect }: FakeOptions = {}): FakeWatcher {
  const asked: Query[] = []
  return {
    asked,
    policy: { ...(mode === 'observe' ? OBSERVE : ENFORCE), onError },
    admit: (client) => admit?.(client) ?? { allowed: true },
    async inspect(query) {
      asked.push(query)
      return { ...verdictOn(query), ...(await inspect?.(query)) }
    },
  }
}

function verdictOn({ client = '' }: Query): Verdict {
  return {
    suspicious: false,
    action: 'allow',
    proposed: 'allow',
    detections: [],
    skipped: [],
    errors: [],
    client: { id: client, evidence: 0 },
    timeMs: 0,
  }
}

/** A verdict of this action. */
export function acting(action: Verdict['action'], more: Partial<Verdict> = {}): Partial<Verdict> {
  return { suspicious: true, action, proposed: action, ...more }
}

/** A list that `onEvent` fills. */
export function listened(): { readonly events: EdgeEvent[]; readonly onEvent: (event: EdgeEvent) => void } {
  const events: EdgeEvent[] = []
  return { events, onEvent: (event) => events.push(event) }
}

/** Everybody is called the same. */
export const named: Pick<MonitorOptions, 'client'> = { client: () => 'mallory' }

export function post(body: BodyInit, headers: Readonly<Record<string, string>> = {}): Request {
  return new Request('http://model.example/v1/classify', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit)
}

export function postJson(value: unknown, headers?: Readonly<Record<string, string>>): Request {
  return post(JSON.stringify(value), headers)
}

/** What a classifier answers. */
export const SCORES = { label: 'cat', scores: [0.7, 0.2, 0.1] }

/** Reads the request as handlers do, and answers with fixed scores. */
export async function classify(request: Request): Promise<Response> {
  await request.json()
  return Response.json(SCORES)
}

/** A stream of these chunks, each given when it is asked for. */
export function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const left = [...chunks]
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift()
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
  })
}

/** A promise that is settled from outside. */
export function gate<T = void>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {}
  const promise = new Promise<T>((resolve) => {
    open = resolve
  })
  return { promise, open }
}
