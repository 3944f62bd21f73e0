/**
 * `<traces-explorer>`: recorded attacks and honest clients, judged again as the visitor chooses attack, detector and threshold.
 * Shows what is caught in time, whom it disturbs, and what else the threshold could be.
 */
import { button, element } from '../elements.ts'
import { curveOf } from './curve.ts'
import { type Figures, figuresOf, isAttack, tradeOffs } from './figures.ts'
import { raceChart } from './races.ts'
import type { Scale, Traces } from './traces.ts'
import { amount, shareText, thresholdText } from './wording.ts'
import { workloadTable } from './workloads.ts'

export class TracesExplorer extends HTMLElement {
  #traces: Traces | undefined
  readonly #attack = element('select', { id: 'tr-attack' })
  readonly #detector = element('select', { id: 'tr-detector' })
  readonly #threshold = element('input', { type: 'range', id: 'tr-threshold', min: 0, step: 1 })
  readonly #value = element('span', { class: 'tr-value', 'aria-hidden': 'true' }) // the slider says it
  readonly #own = button('Its own threshold', () => this.#useOwn(), { class: 'quiet' })
  readonly #about = element('p', { class: 'hint' })
  readonly #caught = element('p', { class: 'tr-caught', role: 'status' })
  readonly #races = element('div', { class: 'tr-part' })
  readonly #workloads = element('div', { class: 'tr-part' })
  readonly #curve = element('div', { class: 'tr-part' })

  constructor() {
    super()
    this.#attack.addEventListener('change', () => this.#show())
    this.#detector.addEventListener('change', () => this.#useOwn())
    this.#threshold.addEventListener('input', () => this.#show())
  }

  /** What is shown; set it once the element is on the page. */
  get traces(): Traces | undefined {
    return this.#traces
  }

  set traces(traces: Traces | undefined) {
    this.#traces = traces
    if (traces === undefined) {
      this.replaceChildren()
      return
    }
    const named = ({ name }: { readonly name: string }) => element('option', { value: name }, name.replaceAll('_', ' '))
    this.#attack.replaceChildren(...traces.clients.filter(isAttack).map(named))
    this.#detector.replaceChildren(...traces.detectors.map(named))
    this.replaceChildren(
      element(
        'div',
        { class: 'tr-controls' },
        element('div', {}, element('label', { for: 'tr-attack' }, 'Attack'), this.#attack),
        element('div', {}, element('label', { for: 'tr-detector' }, 'Detector'), this.#detector),
        element(
          'div',
          { class: 'tr-slider' },
          element('label', { for: 'tr-threshold' }, 'Alarm threshold'),
          this.#value,
          this.#threshold,
          this.#own,
        ),
      ),
      this.#about,
      this.#caught,
      element('div', { class: 'tr-parts' }, this.#races, this.#curve, this.#workloads),
      sourceOf(traces),
    )
    this.#useOwn()
  }

  get #scale(): Scale {
    return this.#traces!.detectors.find(({ name }) => name === this.#detector.value)!
  }

  #useOwn(): void {
    const { levels, own } = this.#scale
    this.#threshold.max = String(levels + 1)
    this.#threshold.valueAsNumber = own
    this.#show()
  }

  #show(): void {
    const traces = this.#traces!
    const scale = this.#scale
    const level = this.#threshold.valueAsNumber
    const choice = { attack: this.#attack.value, detector: scale.name, level }
    const figures = figuresOf(traces, choice)
    const said = thresholdText(scale, level)
    this.#value.textContent = said
    this.#threshold.setAttribute('aria-valuetext', said)
    this.#own.hidden = level === scale.own
    const attack = traces.clients.find(({ name }) => name === choice.attack)!
    this.#about.textContent = `The attack: ${attack.summary}. The score of the detector: ${scale.about}.`
    this.#caught.replaceChildren(...sentence(figures))
    this.#races.replaceChildren(...raceChart(figures, traces.budget))
    this.#workloads.replaceChildren(...workloadTable(figures, traces.budget))
    this.#curve.replaceChildren(
      ...curveOf(tradeOffs(traces, choice), { scale, level, onChoose: (chosen) => this.#choose(chosen) }),
    )
  }

  #choose(level: number): void {
    this.#threshold.valueAsNumber = level
    this.#show()
  }
}

function sentence({ caught, caughtOfSuccessful, medianAlarm, medianSuccess, workloads }: Figures) {
  const worst = workloads[0]!
  const disturbed = workloads.filter(({ count }) => count > 0).length
  const delay = medianAlarm === undefined ? '' : ` First alarm at query ${medianAlarm} in the median.`
  const late = medianSuccess === undefined ? '' : ` Half of the attacks have succeeded by query ${medianSuccess}.`
  const harm =
    disturbed === 0
      ? ' No honest client is disturbed.'
      : ` ${disturbed} of ${workloads.length} kinds of honest clients are disturbed, most of all ${worst.client.name.replaceAll('_', ' ')}: ${shareText(worst)}.`
  return [
    element('strong', {}, `Caught in time: ${shareText(caught)}.`),
    ` Of the ${amount(caughtOfSuccessful.of, 'attack')} that reached ${caughtOfSuccessful.of === 1 ? 'its' : 'their'} aim, ${caughtOfSuccessful.count} had been caught before.`,
    delay,
    late,
    harm,
  ]
}

function sourceOf({ model, data, budget, traces, command }: Traces): HTMLElement {
  return element(
    'p',
    { class: 'hint' },
    `${traces.length} sessions of at most ${budget} queries, recorded by `,
    element('code', {}, command),
    ` at ${model.name} (right on ${((model.accuracy ?? 0) * 100).toFixed(1)} % of ${data.count} pictures of ${data.name}). `,
    'Intervals are of 95 % by Clopper and Pearson: twenty sessions prove little, so read them.',
  )
}
