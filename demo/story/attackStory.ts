/** `<attack-story>`: the story that runs by itself. Its parts are in the page's markup; this brings them together. */
import type { Snapshot } from '../../src/core/index.ts'
import { byId, element } from '../elements.ts'
import { readAddress, type Settings, writeAddress } from './address.ts'
import type { CastEvent, CaughtEvent, LaneInfo, QueryEvent, StoryEvent } from './events.ts'
import { DOES, rolesOf } from './names.ts'
import { Player } from './player.ts'
import type { BackendName, BackendReport } from './protocol.ts'
import type { QueryMap } from './queryMap.ts'
import type { RunBadge } from './runBadge.ts'
import { Runner } from './runner.ts'
import { LETTERS } from './shapes.ts'
import { createControls, type StoryControls } from './storyControls.ts'
import type { UserLane } from './userLane.ts'
import { likenessWords, type StoryVerdict } from './verdictPanel.ts'

const HEADS = {
  story: 'One of these four users is attacking this model. Watch.',
  explainer: 'This user asks four hundred nearly equal questions, and is honest. Watch.',
  miss: 'One of these four users is attacking this model from four accounts, and will get away with it. Watch.',
} as const

/** A tab that was away does not make up for more than this, in ms. */
const LONGEST_FRAME_MS = 100

export class AttackStory extends HTMLElement {
  #settings: Settings = readAddress(location.search)
  #backend: BackendName = 'plain'
  #runner!: Runner
  #controls!: StoryControls
  #player!: Player
  #lanes: UserLane[] = []
  /** Who sits where, as the worker told it, and as far as the visitor has been told. */
  #seats: readonly LaneInfo[] = []
  #infos: readonly LaneInfo[] = []
  readonly #caught = new Map<number, CaughtEvent>()
  /** Lanes that a loaded state knows as suspended. */
  #remembered: readonly number[] = []
  /** Queries of this run that were shown. */
  #shown = 0
  #onCast = () => {}
  #isPlaying = true
  /** The time of the frame before, of the browser's own clock. */
  #frameMs: number | undefined
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)')

  connectedCallback(): void {
    this.#runner = new Runner({
      make: () => new Worker(new URL('./story.worker.ts', import.meta.url), { type: 'module' }),
      onEvents: (events) => this.#feed(events),
      onReport: (report) => this.#report(report),
      onProgress: (share, phase) => this.#controls.tell(`Loading the runtime: ${phase}, ${Math.round(100 * share)} %`),
      onFailed: (message) => this.#fail(message),
      onRestart: (restarts) =>
        this.#controls.tell(
          `The worker died; another one plays the same run on from where it was (restarts: ${restarts}).`,
        ),
    })
    this.#controls = createControls({
      onChange: (changed) => this.#change(changed),
      onBackend: (backend) => this.#use(backend),
      onPlay: () => this.#toggle(),
      onAgain: () => this.#begin(),
      onStep: () => this.#step(),
      onCrash: () => this.#runner.crash(),
    })
    this.#still.addEventListener('change', () => this.#begin())
    this.#begin()
    requestAnimationFrame((nowMs) => this.#tick(nowMs))
  }

  /** The monitor's state as far as the story has been shown. */
  save(): Promise<Snapshot> {
    return this.#runner.save(this.#shown)
  }

  /** Plays the run from its start, its monitor going on from this state. Rejects, and changes nothing, if it cannot. */
  async restore(base: Snapshot): Promise<void> {
    await this.#runner.check(base)
    const begun = new Promise<void>((resolve) => {
      this.#onCast = resolve
    })
    this.#begin(base)
    await begun
  }

  #change(changed: Partial<Settings>): void {
    const isSpeedOnly = Object.keys(changed).every((key) => key === 'speed')
    this.#settings = { ...this.#settings, ...changed }
    history.replaceState(null, '', `${location.pathname}${writeAddress(this.#settings)}${location.hash}`)
    if (isSpeedOnly) this.#controls.show(this.#settings, this.#state)
    else this.#begin()
  }

  #use(backend: BackendName): void {
    this.#backend = backend
    this.#controls.tell(backend === 'plain' ? '' : 'Loading the runtime …')
    this.#begin()
  }

  #begin(base?: Snapshot): void {
    const { cast, attack } = this.#settings
    this.#player = new Player((event) => this.#isClimax(event))
    this.#isPlaying = true
    this.#infos = []
    this.#caught.clear()
    this.#remembered = []
    this.#shown = 0
    byId('story-title').textContent = HEADS[cast]
    byId<QueryMap>('query-map').clear()
    byId<StoryVerdict>('story-verdict').wait(
      this.#still.matches
        ? 'Press “Next picture” to go through the story.'
        : `Watching ${cast === 'explainer' ? 'one user' : 'four users'} …`,
    )
    this.#lanes = rolesOf(cast, attack).map((_, lane) => {
      const made = document.createElement('user-lane') as UserLane
      made.begin(lane)
      return made
    })
    byId('lanes').replaceChildren(...this.#lanes)
    this.dataset['state'] = 'running'
    this.#controls.show(this.#settings, this.#state)
    this.#runner.play(this.#settings, this.#backend, base)
  }

  get #state() {
    return {
      isPlaying: this.#isPlaying,
      isOver: this.#player.isOver,
      isStill: this.#still.matches,
      backend: this.#backend,
    }
  }

  #isClimax(event: StoryEvent): boolean {
    if (event.kind === 'success') return !event.isElsewhere
    return event.kind === 'caught' && this.#settings.protection && this.#seats[event.lane]?.isAttacker === true
  }

  #feed(events: readonly StoryEvent[]): void {
    const [first] = events
    if (first?.kind === 'cast') {
      this.#seats = first.lanes
      this.dispatchEvent(new CustomEvent('prepared', { detail: first }))
      this.#onCast()
    }
    this.#player.feed(events)
  }

  #toggle(): void {
    this.#isPlaying = !this.#isPlaying
    this.#controls.show(this.#settings, this.#state)
  }

  /** One still of the storyboard. Before the run is complete nobody knows which moments are the ones. */
  #step(): void {
    if (!this.#player.isComplete) return
    this.#show(this.#player.step())
  }

  #tick(nowMs: number): void {
    const passed = Math.min(nowMs - (this.#frameMs ?? nowMs), LONGEST_FRAME_MS)
    this.#frameMs = nowMs
    if (this.#still.matches) this.#controls.allowStep(this.#player.isComplete && !this.#player.isOver)
    else if (this.#isPlaying && !this.#player.isOver) this.#show(this.#player.advance(passed * this.#settings.speed))
    requestAnimationFrame((next) => this.#tick(next))
  }

  #show(events: readonly StoryEvent[]): void {
    const byLane = this.#lanes.map((): QueryEvent[] => [])
    const map = byId<QueryMap>('query-map')
    for (const event of events) {
      if (event.kind !== 'query') continue
      this.#shown++
      byLane[event.lane]!.push(event)
      map.add(event)
    }
    for (const [lane, queries] of byLane.entries()) this.#lanes[lane]!.show(queries)
    byId<RunBadge>('run-badge').show(byLane.flat())
    for (const event of events) this.#tell(event)
    if (events.length > 0) this.dispatchEvent(new CustomEvent('played', { detail: events }))
  }

  #tell(event: StoryEvent): void {
    const verdict = byId<StoryVerdict>('story-verdict')
    if (event.kind === 'cast') this.#open(event)
    else if (event.kind === 'refused') this.#lanes[event.lane]!.refuse()
    else if (event.kind === 'caught') {
      this.#caught.set(event.lane, event)
      this.#lanes[event.lane]!.catch(event, this.#settings.protection)
      byId<QueryMap>('query-map').markCaught(event.lane)
      const { isAttacker = false } = this.#infos[event.lane] ?? {}
      if (isAttacker || this.#caught.size === 1) {
        verdict.catch(event, this.#settings.protection)
      }
      if (this.#settings.protection && isAttacker) this.dataset['state'] = 'caught'
    } else if (event.kind === 'success') {
      verdict.succeed(event)
      if (event.isElsewhere) return
      this.#lanes[event.lane]!.succeed(event.number)
      this.dataset['state'] = 'broken'
    } else if (event.kind === 'done') this.#finish(event)
  }

  #open({ lanes, remembered }: CastEvent): void {
    this.#infos = lanes
    this.#remembered = remembered
    for (const lane of remembered) {
      this.#lanes[lane]!.remember()
      if (!lanes[lane]!.isAttacker) continue
      byId<StoryVerdict>('story-verdict').remember(lane)
      this.dataset['state'] = 'caught'
    }
  }

  #finish(event: Extract<StoryEvent, { kind: 'done' }>): void {
    const honest = this.#infos.flatMap(({ isAttacker }, lane) => (isAttacker ? [] : [lane]))
    for (const [lane, { role, isAttacker }] of this.#infos.entries()) {
      this.#lanes[lane]!.reveal(DOES[role], {
        isAttacker,
        isCaught: this.#caught.has(lane) || this.#remembered.includes(lane),
      })
    }
    const isOpen = this.dataset['state'] === 'running'
    const words = [
      ...honest
        .filter((lane) => this.#caught.has(lane))
        .map((lane) => `False alarm: user ${LETTERS[lane]} is honest, and was taken for an attacker all the same.`),
      isOpen && honest.length === this.#infos.length
        ? `Not flagged: all ${event.queries[0]} queries of an explain tool passed.`
        : '',
      this.dataset['state'] === 'broken' && this.#caught.size === 0 ? MISSED[this.#settings.cast] : '',
      isOpen && honest.length < this.#infos.length && this.#caught.size === 0
        ? 'The attacker gave up without an alarm.'
        : '',
      likenessWords(event, honest),
    ].filter((text) => text !== '')
    byId<StoryVerdict>('story-verdict').finish(words, { isHead: isOpen })
    this.dataset['ended'] = String(this.#settings.seed)
    this.dispatchEvent(new CustomEvent('ended'))
    this.#controls.show(this.#settings, this.#state)
  }

  #report(report: BackendReport): void {
    byId<RunBadge>('run-badge').report(report)
    const { backend, compared, equal, difference, msPerQuery } = report
    if (backend === 'plain') return
    this.#controls.tell(
      `Compared with TypeScript on ${compared} digits: ${equal} labels equal, logits at most ${difference.toExponential(0)} apart, ${msPerQuery.toFixed(2)} ms each.`,
    )
  }

  #fail(message: string): void {
    if (this.#backend !== 'plain') {
      this.#use('plain')
      this.#controls.tell(`That backend cannot be used here, so the story runs in TypeScript: ${message}`)
      return
    }
    byId<StoryVerdict>('story-verdict').replaceChildren(
      element('p', { role: 'alert' }, `The story cannot be played: ${message}`),
    )
  }
}

const UNNOTICED = 'Nobody noticed: the attack was through before its questions showed that they follow the answers.'

/** What is said of an attack that nobody noticed. The numbers stand in bench/results/demo.md. */
const MISSED = {
  story: UNNOTICED,
  explainer: UNNOTICED,
  miss: 'Nobody noticed. This attacker asks in turn from four accounts, and each account is watched by itself: a quarter of the questions shows too little. It is missed so in all of seeds 1 to 30. Asked from one account (attack “RayS”), or with the four watched together (scope: “group”), it is caught within 23 queries in each of them; but somebody has to know which accounts belong together.',
} as const
