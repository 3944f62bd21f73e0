/** The cockpit: what the server tells goes to the parts of the page. */
import { Api } from './api.ts'
import { ClientsTable } from './clients.ts'
import { Connection, type Link } from './connection.ts'
import { createDecisionsChart } from './decisionsChart.ts'
import { byId, element } from './elements.ts'
import { Feed } from './feed.ts'
import { LinkState } from './linkState.ts'
import { Lock } from './lock.ts'
import { ClientPanel } from './panel.ts'
import { ScoresPanel } from './scores.ts'
import { createSettings } from './settings.ts'
import { createStrip } from './strip.ts'
import { throttled } from './throttle.ts'
import { Timeline } from './timeline.ts'
import { forgetToken, keepToken, readToken } from './token.ts'
import type { Clients, Happening, Status, StatusModel, Tick } from './wire.ts'

const TIMELINE_SECONDS = 600
const STATUS_MS = 2500
const CLIENTS_MS = 2000

const api = new Api(readToken(), lockUp)
const connection = new Connection({ open: (signal) => api.events(signal), onEvent: heard, onLink: linked })
const lock = new Lock(unlock)
const linkState = new LinkState(() => connection.retryNow())
const feed = new Feed((id) => panel.open(id))
const clients = new ClientsTable({ onOpen: (id) => panel.open(id), onFilter: () => askClients() })
const panel = new ClientPanel({
  api,
  model,
  nowMs,
  onChange: () => askClients(),
  onOrphan: () => clients.focus(),
})
const scores = new ScoresPanel(TIMELINE_SECONDS * 1000, showScores)
const showSettings = createSettings()
const showStrip = createStrip()
const showDecisions = createDecisionsChart(TIMELINE_SECONDS)
const askStatus = throttled(STATUS_MS, loadStatus)
const askClients = throttled(CLIENTS_MS, loadClients)
const askNumbers = throttled(0, showNumbers)
const timelines = new Map<string, Timeline>()

let status: Status | undefined
let tick: Tick | undefined
/** When the last tick came, by this page's clock. */
let tickedMs = 0
let chosen = ''

byId('model').addEventListener('change', (event) => choose((event.target as HTMLSelectElement).value))
byId('forget').addEventListener('click', () => {
  forgetToken()
  api.token = undefined
  lockUp()
})
addEventListener('online', () => connection.retryNow())
connection.start()

/** What is watched: the chosen model, or the first one. */
function model(): StatusModel | undefined {
  return status?.models.find(({ name }) => name === chosen)
}

/** The server's clock. */
function nowMs(): number {
  return tick === undefined ? Date.now() : tick.timeMs + performance.now() - tickedMs
}

/** The token is missing or wrong. */
function lockUp(): void {
  const hadToken = api.token !== undefined
  connection.stop()
  panel.close()
  forgetToken()
  api.token = undefined
  lock.close(hadToken ? 'This is not the token of this server.' : '')
  byId('forget').hidden = true
  linked({ state: 'locked' })
}

function unlock(token: string): void {
  api.token = token
  connection.start()
}

function linked(link: Link): void {
  if (link.state === 'live') {
    if (api.token !== undefined) keepToken(api.token)
    byId('forget').hidden = api.token === undefined
    lock.open()
    askStatus()
    askClients()
  }
  if (link.state === 'lost') {
    lock.open()
    for (const timeline of timelines.values()) timeline.breakOff()
  }
  linkState.link(link, tick?.timeMs)
}

function heard(event: string, data: unknown): void {
  const happening = happeningOf(event, data)
  if (event === 'hello' || event === 'tick') ticked(data as Tick)
  else if (happening !== undefined) happened(happening)
}

function happened(happening: Happening): void {
  feed.add(happening)
  if (happening.kind === 'reload' || happening.kind === 'backendchange') askStatus()
  if (!('client' in happening)) return
  panel.heard(happening.model, happening.client)
  if (happening.kind !== 'verdict') askClients()
}

/** Undefined for what this page does not know. */
function happeningOf(event: string, data: unknown): Happening | undefined {
  const known = data as Happening & { readonly detector: string; readonly from: string; readonly to: string }
  switch (event) {
    case 'verdict':
    case 'suspended':
    case 'released':
    case 'erased':
    case 'evicted':
    case 'eviction_storm':
    case 'drift':
    case 'reload':
      return { ...known, kind: event } as Happening
    case 'backendchange': {
      const { detector, from, to } = known
      return { ...known, kind: event, timeMs: nowMs(), text: `${detector} went from ${from} to ${to}` } as Happening
    }
    default:
      return undefined
  }
}

function ticked(next: Tick): void {
  const before = tick?.models.find(({ name }) => name === chosen)
  tick = next
  tickedMs = performance.now()
  for (const one of next.models) {
    const timeline = timelines.get(one.name) ?? new Timeline(TIMELINE_SECONDS)
    timelines.set(one.name, timeline)
    timeline.add(next.timeMs, one)
  }
  const after = next.models.find(({ name }) => name === chosen)
  if (before?.counts.queries !== after?.counts.queries) {
    askStatus()
    askClients()
  }
  askNumbers()
}

function showNumbers(): void {
  const own = tick?.models.find(({ name }) => name === chosen)
  const timeline = timelines.get(chosen)
  if (tick === undefined || own === undefined || timeline === undefined) return
  const uptimeMs = status === undefined ? undefined : nowMs() - status.startedMs
  showStrip({ tick, model: own, timeline, uptimeMs })
  showDecisions(timeline, model()?.policy)
}

/** Asks again where it fails: the connection tells whether the server is there. */
async function loadStatus(): Promise<void> {
  const next = await api.get<Status>('v1/status').catch(() => undefined)
  if (next === undefined) return
  status = next
  scores.add(next, nowMs())
  showModels(next)
  linkState.server(next.state)
  byId('version').textContent = `${next.build.version} · ${next.build.runtime}`
  panel.refresh()
  showModel()
  if (next.state !== 'ready') askStatus()
}

/** The choice, where there is one. */
function showModels({ models }: Status): void {
  const names = models.map(({ name }) => name)
  if (!names.includes(chosen)) choose(names[0]!)
  const select = byId<HTMLSelectElement>('model')
  if ([...select.options].map(({ value }) => value).join() !== names.join()) {
    select.replaceChildren(...names.map((name) => element('option', { value: name }, name)))
    select.value = chosen
  }
  byId('model-box').hidden = names.length < 2
}

function choose(name: string): void {
  chosen = name
  feed.show(name)
  showModel()
  askNumbers()
  askClients()
}

/** Everything of the chosen model that the status says. */
function showModel(): void {
  const own = model()
  if (status === undefined || own === undefined) return
  const mode = byId('mode')
  mode.textContent = own.policy.mode === 'enforce' ? 'Enforcing' : 'Observing'
  mode.className = `badge ${own.policy.mode === 'enforce' ? 'calm' : 'info'}`
  showSettings(status, own, nowMs())
  showScores()
}

function showScores(): void {
  const own = model()
  if (own !== undefined) scores.show(own.name, own.detectors)
}

async function loadClients(): Promise<void> {
  const own = model()
  if (own === undefined) return
  const address = `v1/clients?model=${encodeURIComponent(own.name)}&limit=${clients.limit}`
  const found = await api.get<Clients>(address).catch(() => undefined)
  if (found !== undefined && own.name === chosen) clients.show(found, own.policy, nowMs())
}
