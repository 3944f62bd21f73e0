/** `<user-lane>`: one user as the watcher sees them: the picture asked about last, the answer, and how much speaks against them. */
import { drawing, element, icon } from '../elements.ts'
import { digitCanvas, paintDigit } from './digitCanvas.ts'
import type { CaughtEvent, QueryEvent } from './events.ts'
import { isNear } from './near.ts'
import { LETTERS, SHAPES } from './shapes.ts'

export class UserLane extends HTMLElement {
  readonly #picture = digitCanvas('The picture asked about last')
  readonly #count = element('span', { class: 'lane-count' }, 'no query yet')
  readonly #answer = element('span', { class: 'lane-answer' }, '')
  readonly #near = element('span', { class: 'lane-near' }, '')
  readonly #bar = element('span', { class: 'lane-bar', 'aria-hidden': 'true' }, element('i'))
  readonly #state = element('p', { class: 'lane-state' }, 'Watching')
  readonly #does = element('p', { class: 'lane-does' }, '')
  #neighbours = 0
  #refused = 0

  /** Empty, for the user of this place. */
  begin(lane: number): void {
    this.#neighbours = 0
    this.#refused = 0
    this.className = `lane lane-${lane + 1}`
    this.setAttribute('data-testid', `lane-${lane}`)
    const mark = drawing(
      'svg',
      { class: 'lane-shape', viewBox: '0 0 16 16', 'aria-hidden': 'true' },
      drawing('path', { d: SHAPES[lane]! }),
    )
    this.#count.textContent = 'no query yet'
    this.#answer.textContent = ''
    this.#near.textContent = ''
    this.#does.textContent = ''
    this.#say('watching', 'Watching')
    this.#level(0)
    this.#picture.getContext('2d')?.clearRect(0, 0, 28, 28)
    this.replaceChildren(
      element('h3', { class: 'lane-name' }, mark, `User ${LETTERS[lane]}`),
      this.#picture,
      element('div', { class: 'lane-facts' }, this.#count, this.#answer, this.#near),
      this.#bar,
      this.#state,
      this.#does,
    )
  }

  /** The latest of the queries that came in this frame; all of them count. */
  show(queries: readonly QueryEvent[]): void {
    const last = queries.at(-1)
    if (last === undefined) return
    this.#neighbours += queries.filter(isNear).length
    paintDigit(this.#picture, last.picture)
    this.#picture.setAttribute('aria-label', `The picture asked about last: the model says ${last.label}`)
    this.#count.textContent = last.number === 1 ? '1 query' : `${last.number} queries`
    this.#answer.textContent = `the model says ${last.label} (${(100 * last.sure).toFixed(0)} %)`
    this.#near.textContent = `${this.#neighbours} almost the same as one before`
    if (this.dataset['state'] === 'watching') this.#level(last.score)
  }

  catch({ number }: CaughtEvent, isProtected: boolean): void {
    this.#level(1)
    this.#say('caught', isProtected ? `Suspended at query ${number}` : `Suspicious since query ${number}`)
  }

  /** Suspended before this run, by the state that was loaded. */
  remember(): void {
    this.#level(1)
    this.#say('caught', 'Suspended by the loaded state')
  }

  refuse(): void {
    this.#refused++
    this.#near.textContent = `${this.#refused} more refused`
  }

  /** The attack has reached its aim here. */
  succeed(number: number): void {
    this.#say('broken', `Fooled the model at query ${number}`)
  }

  /** The end: what this user has done. */
  reveal(does: string, { isAttacker, isCaught }: { readonly isAttacker: boolean; readonly isCaught: boolean }): void {
    if (!isCaught && this.dataset['state'] === 'watching')
      this.#say('calm', isAttacker ? 'Not caught' : 'Not suspicious')
    this.#does.textContent = `${isAttacker ? 'Attacker' : 'Honest'}: ${does}.`
  }

  #say(state: 'watching' | 'caught' | 'broken' | 'calm', words: string): void {
    this.dataset['state'] = state
    const sign = { watching: null, caught: 'alarm', broken: 'error', calm: 'calm' } as const
    this.#state.replaceChildren(
      ...[sign[state] === null ? '' : icon(sign[state]!), words].filter((part) => part !== ''),
    )
  }

  #level(share: number): void {
    this.#bar.style.setProperty('--level', String(Math.min(Math.max(share, 0), 1)))
  }
}
