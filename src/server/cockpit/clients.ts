/** The clients by the evidence against them. */

import { evidenceMeter, showState } from './clientParts.ts'
import { button, byId, element, isInUse, setText } from './elements.ts'
import { ago, clientName, count } from './format.ts'
import { KeyedList, type View } from './keyed.ts'
import type { Clients, Policy } from './wire.ts'

type Client = Clients['clients'][number]

/** What a row needs to know beside its client. */
interface Row {
  readonly client: Client
  readonly policy: Policy
  readonly nowMs: number
}

export interface ClientsOptions {
  readonly onOpen: (id: string) => void
  /** More clients are wanted, or fewer. */
  readonly onFilter: () => void
}

const SHOWN = 100
/** Those that a filter looks through: the most that the server gives. */
const SEARCHED = 1000

/** The table with its filter. */
export class ClientsTable {
  readonly #options: ClientsOptions
  readonly #rows: KeyedList<Row>
  readonly #body = byId('clients-rows')
  readonly #filter = byId<HTMLInputElement>('clients-filter')
  #shown: { readonly found: Clients; readonly policy: Policy; readonly nowMs: number } | undefined
  #matches: readonly Client[] = []

  constructor(options: ClientsOptions) {
    this.#options = options
    this.#rows = new KeyedList(this.#body, ({ client }) => this.#row(client.id))
    this.#body.addEventListener('mouseleave', () => this.#render())
    this.#filter.addEventListener('input', () => {
      this.#render()
      options.onFilter()
    })
    this.#filter.form!.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#openFiltered()
    })
  }

  /** How many clients to ask for. */
  get limit(): number {
    return this.#filter.value === '' ? SHOWN : SEARCHED
  }

  /** The place to go to when a client's row has gone. */
  focus(): void {
    this.#filter.focus()
  }

  show(found: Clients, policy: Policy, nowMs: number): void {
    this.#shown = { found, policy, nowMs }
    this.#render()
  }

  #render(): void {
    if (this.#shown === undefined) return
    const { found, policy, nowMs } = this.#shown
    const wanted = this.#filter.value.toLowerCase()
    this.#matches = found.clients.filter(({ id, reason = '' }) =>
      `${clientName(id)} ${reason}`.toLowerCase().includes(wanted),
    )
    const shown = this.#matches.slice(0, SHOWN)
    const isHeld = isInUse(this.#body)
    this.#rows.show(new Map(shown.map((client) => [client.id, { client, policy, nowMs }])), { isHeld })
    const many = shown.length === found.total ? count(found.total) : `${count(shown.length)} of ${count(found.total)}`
    setText(byId('clients-count'), isHeld ? `${many}, order held` : many)
    byId('clients-empty').hidden = shown.length > 0
    setText(byId('clients-empty'), wanted === '' ? EMPTY : NONE_FITS)
  }

  /** The client that the filter leaves, or the one whose whole name it is. */
  #openFiltered(): void {
    const { value } = this.#filter
    if (value !== '') this.#options.onOpen(this.#matches.length === 1 ? this.#matches[0]!.id : value)
  }

  #row(id: string): View<Row> {
    const name = button(clientName(id), () => this.#options.onOpen(id), { class: 'client', 'aria-haspopup': 'dialog' })
    if (id === '') name.classList.add('unnamed')
    const reason = element('p', { class: 'reason' })
    const meter = evidenceMeter()
    const [queries, suspicious, seen, state] = [cell('number minor'), cell('number minor'), cell('minor'), cell()]
    const row = element(
      'tr',
      {},
      element('th', { scope: 'row' }, name, reason),
      element('td', {}, meter.element),
      suspicious,
      queries,
      seen,
      state,
    )
    row.addEventListener('click', ({ target }) => {
      if (target !== name && getSelection()?.isCollapsed !== false) name.click()
    })
    return {
      element: row,
      update({ client, policy, nowMs }) {
        setText(reason, client.reason ?? '')
        meter.show(client.evidence, policy)
        setText(suspicious, count(client.suspicious))
        setText(queries, count(client.queries))
        setText(seen, client.lastMs === 0 ? '–' : ago(nowMs - client.lastMs))
        showState(state, client)
      },
    }
  }
}

const EMPTY = 'No client has asked anything yet.'
const NONE_FITS = 'None of them fits. Enter opens the client of exactly this name.'

function cell(kind = ''): HTMLElement {
  return element('td', { class: kind })
}
