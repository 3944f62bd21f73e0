/**
 * `<operator-view>`: what the operator of a monitor sees. The charts are those of the shipped dashboard, drawn from the
 * metrics that a server would tell; beside them the metrics as text, the state as a file, and the code for one's own app.
 */
import { element } from '../elements.ts'
import { type Charts, createCharts } from './charts.ts'
import { codePart } from './codePart.ts'
import { RANGE_SECONDS, STEP_SECONDS } from './course.ts'
import { measure, type Operated, type PageMetrics } from './metrics.ts'
import { Samples } from './promql/samples.ts'
import { statePart } from './statePart.ts'
import { tabsOf } from './tabs.ts'
import { textPart } from './textPart.ts'

/** The labels that a scrape of a page would put on its series. */
const TARGET = { job: 'monitaur', instance: 'this page' }

const STATE_WORDS =
  'Everything that the detectors remember, and the evidence against each client, as one file with a checksum. A server or ' +
  'another page with the same detectors goes on from it.'

export class OperatorView extends HTMLElement {
  #charts: Charts | undefined
  #samples = new Samples(RANGE_SECONDS + 10, TARGET)
  #text = textPart()
  #metrics: PageMetrics | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #isLooking = false
  #shown = ''

  /**
   * Watches these monitors from now on, in place of those before; at least one, each with a name of its own. What comes of
   * their queries is to be told to the metrics that it gives. Rejects if a monitor cannot be described.
   */
  async operate(all: readonly Operated[], options: { readonly version?: string } = {}): Promise<PageMetrics> {
    const metrics = await measure(all, options)
    this.#metrics = metrics
    this.#build(all)
    await this.look()
    this.#start()
    return metrics
  }

  connectedCallback(): void {
    this.#start()
  }

  disconnectedCallback(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #build(all: readonly Operated[]): void {
    this.#charts?.destroy()
    this.#charts = createCharts()
    this.#samples = new Samples(RANGE_SECONDS + 10, TARGET)
    const onRestored = (model: string) => {
      this.dispatchEvent(new CustomEvent('restored', { bubbles: true, detail: model }))
    }
    const state = element(
      'div',
      {},
      STATE_WORDS,
      ...all.flatMap((one) => (one.state === undefined ? [] : [statePart(one, { state: one.state, onRestored })])),
    )
    const parts = [
      { id: 'op-charts', label: 'Charts', content: this.#charts.root },
      { id: 'op-text', label: 'Metrics as text', content: this.#text.root },
      { id: 'op-state', label: 'Detector state', content: state },
      { id: 'op-code', label: 'Your own app', content: codePart(all[0]!.config) },
    ]
    this.replaceChildren(...tabsOf("Operator's view", parts, (id) => this.#show(id)))
  }

  #show(id: string): void {
    this.#shown = id
    if (id === 'op-text') this.#text.refresh()
    if (id === 'op-charts') this.#charts?.refresh()
  }

  #start(): void {
    if (this.#metrics === undefined || this.#timer !== undefined || !this.isConnected) return
    this.#timer = setInterval(() => {
      this.look().catch((thrown: unknown) => this.#text.tell(String(thrown)))
    }, STEP_SECONDS * 1000)
  }

  /** Reads the metrics now, as a scrape does each second. Does nothing while another look is under way. */
  async look(): Promise<void> {
    if (this.#metrics === undefined || this.#charts === undefined || this.#isLooking) return
    this.#isLooking = true
    try {
      const exposition = await this.#metrics.exposition()
      const seconds = Date.now() / 1000
      this.#samples.add(exposition, seconds)
      this.#text.take(exposition)
      if (this.#shown === 'op-text') this.#text.refresh()
      this.#charts.look(this.#samples, seconds)
    } finally {
      this.#isLooking = false
    }
  }
}
