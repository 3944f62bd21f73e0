/** The cards, newest first. */
import { cardContent, type Find } from './card.ts'
import { byId, element } from './elements.ts'
import type { Judged } from './session.ts'
import { describe } from './wording.ts'

export interface Stream {
  /** Shows exactly these queries. Cards whose verdict has not changed are left alone. */
  show(judged: readonly Judged[]): void
  /** Brings a card into view and gives it the focus. */
  reveal(number: number): void
  /** Marks the card that a draft resembles, in place of the one before. */
  light(number: number | undefined): void
}

export function createStream(): Stream {
  const list = byId('stream')
  const empty = byId('empty')
  const cards = new Map<number, { readonly card: HTMLElement; readonly shown: Judged }>()

  list.addEventListener('click', (event) => {
    const link = (event.target as Element).closest('a.pointer')
    if (link === null) return
    event.preventDefault()
    reveal(Number(link.getAttribute('href')?.slice('#query-'.length)))
  })
  return { show, reveal, light }

  function show(judged: readonly Judged[]): void {
    const byNumber = new Map(judged.map((one) => [one.item.number, one]))
    for (const [number, { card, shown }] of cards) {
      if (byNumber.get(number)?.item === shown.item) continue
      card.remove()
      cards.delete(number)
    }
    const find: Find = (number) => byNumber.get(number)?.item
    for (const one of judged) put(one, find)
    empty.hidden = judged.length > 0
  }

  function put(judged: Judged, find: Find): void {
    const { number } = judged.item
    const known = cards.get(number)
    if (known?.shown === judged) return
    const card =
      known?.card ?? element('li', { id: `query-${number}`, tabindex: -1, value: number, 'data-testid': 'card' })
    card.className = `card ${describe(judged).tone}`
    card.replaceChildren(...cardContent(judged, find))
    cards.set(number, { card, shown: judged })
    if (known === undefined) list.prepend(card)
  }

  function light(number: number | undefined): void {
    for (const [own, { card }] of cards) card.toggleAttribute('data-lit', own === number)
  }

  function reveal(number: number): void {
    const card = cards.get(number)?.card
    if (card === undefined) return
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
    card.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' })
    card.focus({ preventScroll: true })
  }
}
