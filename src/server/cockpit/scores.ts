/** The distributions of all detectors, since the server's start or over the last minutes. */
import { since } from './bins.ts'
import { byId } from './elements.ts'
import { KeyedList } from './keyed.ts'
import { type Shown, scoresView } from './scoresChart.ts'
import type { Status, StatusDetector } from './wire.ts'

type Counts = Pick<StatusDetector, 'judged' | 'suspicious' | 'scores'>

/** One look at a server: the counts of its detectors by model and label. */
interface Look {
  readonly timeMs: number
  readonly detectors: ReadonlyMap<string, Counts>
}

/** How many of them are kept. */
const LOOKS = 40

const keyOf = (model: string, label: string) => `${model} ${label}`

/** Shows distributions, and remembers looks for `spanMs` so that recent ones can be told from old ones. */
export class ScoresPanel {
  readonly #spanMs: number
  readonly #figures = new KeyedList<Shown>(byId('scores'), scoresView)
  #looks: Look[] = []
  #startedMs = 0
  #isRecent = false

  constructor(spanMs: number, onChange: () => void) {
    this.#spanMs = spanMs
    byId('scores-span').addEventListener('change', (event) => {
      this.#isRecent = (event.target as HTMLInputElement).value === 'recent'
      onChange()
    })
  }

  /** Takes in what the server says now. */
  add({ models, startedMs }: Status, timeMs: number): void {
    if (startedMs !== this.#startedMs) this.#looks = []
    this.#startedMs = startedMs
    const all = models.flatMap(({ name, detectors }) => detectors.map((one) => [keyOf(name, one.label), one] as const))
    const last = this.#looks.at(-1)
    if (last === undefined || timeMs - last.timeMs >= this.#spanMs / LOOKS) {
      this.#looks.push({ timeMs, detectors: new Map(all) })
    }
    while (this.#looks.length > 1 && this.#looks[1]!.timeMs <= timeMs - this.#spanMs) this.#looks.shift()
  }

  show(model: string, detectors: readonly StatusDetector[]): void {
    const before = this.#isRecent ? this.#looks[0]?.detectors : undefined
    const shown = detectors.map((detector): [string, Shown] => {
      const key = keyOf(model, detector.label)
      const earlier = before?.get(key)
      return [
        key,
        {
          detector,
          scores: since(detector.scores, earlier?.scores),
          judged: detector.judged - (earlier?.judged ?? 0),
          suspicious: detector.suspicious - (earlier?.suspicious ?? 0),
        },
      ]
    })
    this.#figures.show(new Map(shown))
  }
}
