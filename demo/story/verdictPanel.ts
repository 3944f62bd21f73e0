/** `<story-verdict>`: who it was, in a sentence with numbers, and two pictures that look the same and carry two labels. */
import { element, icon } from '../elements.ts'
import { digitCanvas, paintDigit } from './digitCanvas.ts'
import type { CaughtEvent, DoneEvent, Shown, SuccessEvent } from './events.ts'
import { followingWords } from './followingWords.ts'
import { LETTERS } from './shapes.ts'

const HOW_TO_WATCH =
  'The bar of a user fills as evidence adds up that the questions follow the answers. Once it is full, the user is suspended.'

export class StoryVerdict extends HTMLElement {
  readonly #words = element('div', { class: 'verdict-words', role: 'status', 'aria-live': 'polite' })
  readonly #pair = element('div', { class: 'pair' })

  connectedCallback(): void {
    if (this.#words.isConnected) return
    this.append(this.#words, this.#pair)
  }

  /** Before anything is known. */
  wait(words: string): void {
    this.dataset['tone'] = 'wait'
    this.#words.replaceChildren(element('p', {}, words), element('p', { class: 'hint' }, HOW_TO_WATCH))
    this.#pair.replaceChildren()
  }

  catch({ lane, number, following }: CaughtEvent, isProtected: boolean): void {
    this.dataset['tone'] = isProtected ? 'caught' : 'warned'
    const done = isProtected
      ? `Suspended at query ${number}: the model answers no more.`
      : `With protection on it would be suspended here, at query ${number}. It is off, so the attack goes on.`
    this.#words.replaceChildren(
      element('p', { class: 'verdict-head' }, icon('alarm'), `It is user ${LETTERS[lane]}.`),
      element(
        'p',
        {},
        `${followingWords(following)} Who explains or cleans a picture seldom lets the answers choose the next question. ${done}`,
      ),
    )
  }

  /** The loaded state knows the attacker. */
  remember(lane: number): void {
    this.dataset['tone'] = 'caught'
    this.#words.replaceChildren(
      element('p', { class: 'verdict-head' }, icon('alarm'), `User ${LETTERS[lane]} is suspended already.`),
      element('p', {}, 'The state that was loaded remembers it, so the model answers none of its questions.'),
    )
  }

  succeed(event: SuccessEvent): void {
    const { number, lane, isElsewhere, original, adversarial, change } = event
    const told = isElsewhere
      ? `Without protection this attack would have fooled the model at query ${number}. Found in the same run with protection off:`
      : `User ${LETTERS[lane]} has fooled the model at query ${number}.`
    if (!isElsewhere) {
      this.dataset['tone'] = 'broken'
      this.#words.append(element('p', { class: 'verdict-head' }, icon('error'), told))
    }
    this.#pair.replaceChildren(
      ...(isElsewhere ? [element('p', { class: 'pair-head' }, told)] : []),
      figure('The original', original),
      figure('Changed by the attacker', adversarial),
      element(
        'p',
        { class: 'hint' },
        `No pixel differs by more than ${Math.round(change)} of 255. To you the same digit, to the model another one.`,
      ),
    )
  }

  /** At the end: nobody was found, or what a simpler check would have done. */
  finish(words: readonly string[], { isHead }: { readonly isHead: boolean }): void {
    if (isHead) {
      this.dataset['tone'] = 'calm'
      this.#words.replaceChildren()
    }
    this.#words.append(
      ...words.map((text, i) => element('p', { class: isHead && i === 0 ? 'verdict-head' : '' }, text)),
    )
  }
}

function figure(title: string, { picture, label, sure }: Shown): HTMLElement {
  const canvas = digitCanvas(`${title}: the model says ${label}`)
  paintDigit(canvas, picture)
  return element(
    'figure',
    {},
    canvas,
    element(
      'figcaption',
      {},
      element('span', {}, title),
      element('strong', {}, `the model says ${label}`),
      element('span', {}, `${(100 * sure).toFixed(0)} % sure`),
    ),
  )
}

/** What a check for likeness alone would have made of the honest users. */
export function likenessWords({ alike, queries }: DoneEvent, honest: readonly number[]): string {
  const parts = honest
    .filter((lane) => alike[lane]! > 0)
    .map((lane) => `${alike[lane]} of ${queries[lane]} queries of honest user ${LETTERS[lane]}`)
  if (parts.length === 0) return ''
  return `A check for likeness alone (cosine of the pixels from 0.9) would have flagged ${parts.join(' and ')}.`
}
