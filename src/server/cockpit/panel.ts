/** One client: what is known of it, its last verdicts, and what can be done about it. */
import { type Api, ApiError, clientPath } from './api.ts'
import { evidenceMeter, showState } from './clientParts.ts'
import { byId, setText } from './elements.ts'
import { ago, clientName, count, date, duration } from './format.ts'
import { throttled } from './throttle.ts'
import { type FeedbackKind, verdictList } from './verdicts.ts'
import type { ClientDetail, StatusModel } from './wire.ts'

export interface PanelOptions {
  readonly api: Api
  /** What is watched now. */
  readonly model: () => StatusModel | undefined
  /** Of the server. */
  readonly nowMs: () => number
  /** A client was suspended or released. */
  readonly onChange: () => void
  /** The panel has closed, and the focus has nowhere to go back to. */
  readonly onOrphan: () => void
}

const REFRESH_MS = 1000

/** The panel at the side. While it is open the page behind it rests. */
export class ClientPanel {
  readonly #options: PanelOptions
  readonly #dialog = byId<HTMLDialogElement>('client')
  readonly #error = byId('client-error')
  readonly #meter = evidenceMeter()
  readonly #showVerdicts: (verdicts: ClientDetail['queries']) => void
  readonly #ask = throttled(REFRESH_MS, () => this.#refresh())
  #id: string | undefined
  #model = ''

  constructor(options: PanelOptions) {
    this.#options = options
    byId('client-evidence').append(this.#meter.element)
    this.#showVerdicts = verdictList(byId('client-verdicts'), {
      unitOf: (detector) => options.model()?.detectors.find(({ label }) => label === detector)?.unit,
      sendFeedback: (detector, kind) => this.#feedback(detector, kind),
    })
    byId('client-close').addEventListener('click', () => this.#dialog.close())
    byId('client-suspend').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#act('suspend', this.#length())
    })
    byId('client-release').addEventListener('click', () => void this.#act('release', {}))
    this.#dialog.addEventListener('click', ({ target }) => {
      if (target === this.#dialog) this.#dialog.close() // beside the panel
    })
    this.#dialog.addEventListener('close', () => this.#closed())
  }

  open(id: string): void {
    const model = this.#options.model()
    if (model === undefined) return
    this.#id = id
    this.#model = model.name
    setText(byId('client-title'), clientName(id))
    setText(this.#error, '')
    byId('client-content').hidden = true
    this.#showVerdicts([])
    byId<HTMLSelectElement>('client-length').value = ''
    const preset = byId('client-length').querySelector('option')!
    setText(preset, `${duration(model.policy.suspendForMs)}, as the policy says`)
    if (!this.#dialog.open) this.#dialog.showModal()
    void this.#refresh()
  }

  /** Something has happened to a client: asks for it again, if it is the one that is shown. */
  heard(model: string, id: string): void {
    if (this.#id === id && this.#model === model) this.#ask()
  }

  /** Asks for the client that is shown, if there is one. */
  refresh(): void {
    if (this.#id !== undefined) this.#ask()
  }

  close(): void {
    if (this.#dialog.open) this.#dialog.close()
  }

  #closed(): void {
    this.#id = undefined
    if (document.activeElement === document.body || document.activeElement === null) this.#options.onOrphan()
  }

  async #refresh(): Promise<void> {
    const id = this.#id
    if (id === undefined) return
    try {
      const detail = await this.#options.api.get<ClientDetail>(clientPath(id, this.#model))
      if (id === this.#id) this.#show(detail)
    } catch (thrown) {
      if (id === this.#id) this.#fail(id, thrown as Error)
    }
  }

  /** A client that nobody has heard of can be suspended all the same. */
  #fail(id: string, thrown: Error): void {
    const isUnknown = thrown instanceof ApiError && thrown.status === 404
    const client = { id, evidence: 0, lastMs: 0, queries: 0, suspicious: 0 }
    if (isUnknown) this.#show({ client, queries: [] })
    else setText(this.#error, `Could not be read: ${thrown.message}.`)
  }

  #show({ client, queries }: ClientDetail): void {
    const model = this.#options.model()
    if (model === undefined) return
    const { policy } = model
    const { suspendedUntilMs, lastMs } = client
    const nowMs = this.#options.nowMs()
    byId('client-content').hidden = false
    showState(byId('client-state'), client)
    this.#meter.show(client.evidence, policy)
    setText(byId('client-limits'), `throttled from ${policy.throttleAt}, suspended from ${policy.suspendAt}`)
    setText(byId('client-queries'), `${count(client.queries)}, ${count(client.suspicious)} of them suspicious`)
    setText(byId('client-seen'), lastMs === 0 ? 'not remembered' : `${date(lastMs)}, ${ago(nowMs - lastMs)}`)
    setText(byId('client-until'), suspendedUntilMs === undefined ? '' : untilText(suspendedUntilMs, nowMs))
    this.#showActions(suspendedUntilMs !== undefined)
    setText(byId('client-mode'), policy.mode === 'observe' ? OBSERVE : '')
    this.#showVerdicts(queries)
    byId('client-none').hidden = queries.length > 0
  }

  /** One of the two; the focus stays with whichever is there. */
  #showActions(isSuspended: boolean): void {
    const [suspend, release] = [byId('client-suspend'), byId('client-release-box')]
    const hadFocus = suspend.contains(document.activeElement) || release.contains(document.activeElement)
    if (suspend.hidden === isSuspended) return
    suspend.hidden = isSuspended
    release.hidden = !isSuspended
    if (hadFocus) (isSuspended ? release : suspend).querySelector('button')!.focus()
  }

  #length(): { readonly forMs?: number } {
    const { value } = byId<HTMLSelectElement>('client-length')
    return value === '' ? {} : { forMs: Number(value) }
  }

  async #act(verb: 'suspend' | 'release', body: object): Promise<void> {
    const id = this.#id
    if (id === undefined) return
    try {
      await this.#options.api.post(clientPath(id, this.#model, `/${verb}`), body)
      setText(this.#error, '')
    } catch (thrown) {
      setText(this.#error, `Could not ${verb}: ${(thrown as Error).message}.`)
    }
    this.#options.onChange()
    await this.#refresh()
  }

  #feedback(detector: string, kind: FeedbackKind): Promise<unknown> {
    return this.#options.api.post('v1/feedback', { kind, detector, model: this.#model })
  }
}

const OBSERVE = 'Observe mode: a suspension is told, and nobody is refused.'

function untilText(untilMs: number, nowMs: number): string {
  return `Suspended until ${date(untilMs)}, for another ${duration(untilMs - nowMs)}.`
}
