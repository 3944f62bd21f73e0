/**
 * Plays the events of a run at a pace at which a person can watch: the alarm (or the success) comes after about 14 seconds,
 * the end soon after. Knows no document; who calls it brings the clock.
 */
import type { StoryEvent } from './events.ts'

/** When the climax is to come, and how long the rest may take, in ms at normal speed. */
const CLIMAX_MS = 14_000
const REST_MS = 5_000
/** Of the storyboard, as shares of the way to the climax. */
const STILLS = [0.12, 0.45, 0.8] as const

interface Timed {
  readonly event: StoryEvent
  readonly timeMs: number
}

export class Player {
  readonly #timed: Timed[] = []
  readonly #isClimax: (event: StoryEvent) => boolean
  #shown = 0
  /** Where the stream's own time stands, and how much of the wall's has been played. */
  #streamMs = 0
  #wallMs = 0
  #climaxMs: number | undefined
  #isComplete = false

  constructor(isClimax: (event: StoryEvent) => boolean) {
    this.#isClimax = isClimax
  }

  feed(events: readonly StoryEvent[]): void {
    for (const event of events) {
      const before = this.#timed.at(-1)?.timeMs ?? 0
      const timeMs = 'timeMs' in event ? event.timeMs : before
      this.#timed.push({ event, timeMs })
      if (this.#climaxMs === undefined && this.#isClimax(event)) this.#climaxMs = timeMs
      if (event.kind !== 'done') continue
      this.#isComplete = true
      this.#climaxMs ??= timeMs
    }
  }

  /** All that will come has come. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  get isOver(): boolean {
    return this.#isComplete && this.#shown === this.#timed.length
  }

  /** Moves on by a stretch of the wall's time, already multiplied by the speed. Gives what is due. */
  advance(byMs: number): StoryEvent[] {
    this.#streamMs = Math.min(this.#streamMs + this.#stretch(byMs), this.#endMs)
    this.#wallMs += byMs
    return this.#due()
  }

  /** The moments of the storyboard that are still to come: stream time in ms, ascending. */
  get stills(): number[] {
    const climax = this.#climaxMs ?? 0
    const end = this.#endMs
    return [...STILLS.map((share) => share * climax), climax, end].filter((timeMs) => timeMs > this.#streamMs)
  }

  /** To the next moment of the storyboard. Gives what happened until then. */
  step(): StoryEvent[] {
    this.#streamMs = this.stills[0] ?? this.#endMs
    return this.#due()
  }

  #due(): StoryEvent[] {
    const from = this.#shown
    while (this.#shown < this.#timed.length && this.#timed[this.#shown]!.timeMs <= this.#streamMs) this.#shown++
    return this.#timed.slice(from, this.#shown).map(({ event }) => event)
  }

  /** Stream time that goes by: as much as on the wall until it is known when the climax comes; then so that it is in time. */
  #stretch(byMs: number): number {
    if (this.#climaxMs === undefined) return byMs
    const way = this.#climaxMs - this.#streamMs
    const left = CLIMAX_MS - this.#wallMs
    if (way > 0) return byMs < left ? (way * byMs) / left : way
    return byMs * Math.max((this.#endMs - this.#climaxMs) / REST_MS, 1)
  }

  get #endMs(): number {
    return this.#timed.at(-1)?.timeMs ?? 0
  }
}
