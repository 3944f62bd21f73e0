/** What happens, as it happens: the newest first, and said aloud now and then. */
import { button, byId, element, isInUse, setText } from './elements.ts'
import { clientName, count, time } from './format.ts'
import { isNotable, type Line, lineOf, spoken } from './happenings.ts'
import { KeyedList, type View } from './keyed.ts'
import { Latest } from './latest.ts'
import { throttled } from './throttle.ts'
import type { Happening } from './wire.ts'

const REMEMBERED = 500
const SHOWN = 60
const SHOW_MS = 250
/** A screen reader needs time to read. */
const SPEAK_MS = 5000

interface Entry {
  readonly number: number
  readonly happening: Happening
}

/** The list of events. */
export class Feed {
  readonly #list = byId('feed-list')
  readonly #pause = byId<HTMLButtonElement>('feed-pause')
  readonly #entries = new Latest<Entry>(REMEMBERED)
  readonly #notable = new Latest<Entry>(REMEMBERED)
  readonly #lines: KeyedList<Line>
  readonly #ask = throttled(SHOW_MS, () => this.#render())
  readonly #speak = throttled(SPEAK_MS, () => this.#say())
  #model = ''
  #number = 0
  /** The newest one when it was paused. */
  #pausedAt: number | undefined
  #shownUpTo = 0
  #spokenUpTo = 0

  constructor(onOpen: (client: string) => void) {
    this.#lines = new KeyedList(this.#list, (line) => lineView(line, onOpen))
    this.#pause.addEventListener('click', () => this.#toggle())
    byId('feed-all').addEventListener('change', this.#ask)
    this.#list.addEventListener('mouseleave', this.#ask)
    this.#list.addEventListener('focusout', this.#ask)
  }

  add(happening: Happening): void {
    const entry = { number: ++this.#number, happening }
    this.#entries.push(entry)
    if (isNotable(happening)) {
      this.#notable.push(entry)
      this.#speak()
    }
    this.#ask()
  }

  /** Shows what concerns a model. */
  show(model: string): void {
    this.#model = model
    this.#ask()
  }

  #toggle(): void {
    const isPaused = this.#pausedAt === undefined
    this.#pausedAt = isPaused ? this.#number : undefined
    this.#pause.setAttribute('aria-pressed', String(isPaused))
    this.#ask()
  }

  /** The newest entries of the chosen kind that concern the model. */
  #newest(): Entry[] {
    const entries = byId<HTMLInputElement>('feed-all').checked ? this.#entries : this.#notable
    return entries.newest().filter(({ happening }) => !('model' in happening) || happening.model === this.#model)
  }

  #render(): void {
    const newest = this.#newest()
    // It would run away from the pointer.
    const upTo = this.#pausedAt ?? (isInUse(this.#list) ? this.#shownUpTo : this.#number)
    this.#shownUpTo = upTo
    const waiting = newest.filter(({ number }) => number > upTo).length
    setText(byId('feed-waiting'), waiting === 0 ? '' : `${count(waiting)} new`)
    const shown = newest.filter(({ number }) => number <= upTo).slice(0, SHOWN)
    this.#lines.show(new Map(shown.map(({ number, happening }) => [String(number), lineOf(happening)])))
    byId('feed-empty').hidden = shown.length > 0
  }

  #say(): void {
    if (this.#pausedAt !== undefined) return
    const unsaid = this.#newest().filter(({ number, happening }) => number > this.#spokenUpTo && isNotable(happening))
    this.#spokenUpTo = this.#number
    const [newest] = unsaid
    if (newest === undefined) return
    const others = unsaid.length > 1 ? ` And ${count(unsaid.length - 1)} more.` : ''
    byId('spoken').textContent = `${spoken(lineOf(newest.happening))}${others}`
  }
}

function lineView({ timeMs, tone, label, text, client }: Line, onOpen: (client: string) => void): View<Line> {
  const when = element('time', { datetime: new Date(timeMs).toISOString() }, time(timeMs))
  const who = client === undefined ? [] : [button(clientName(client), () => onOpen(client), { class: 'client' })]
  const head = element('p', { class: 'line-head' }, when, element('span', { class: `badge ${tone}` }, label), ...who)
  const made = element('li', { class: 'line' }, head, element('p', { class: 'reason' }, text))
  return { element: made, update() {} }
}
