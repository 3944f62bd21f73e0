/** How a request ends: with the handler's response, with a refusal, or with a harmless answer. */
import { disguise } from './disguise.ts'
import type { Leases } from './leases.ts'
import type { Settings } from './options.ts'
import { inWords } from './reader.ts'
import { failureRefusal, refusalResponse } from './refusal.ts'
import { taggedResponse } from './tag.ts'
import type { Tally } from './tally.ts'
import type { Visit } from './visit.ts'

export class Ending {
  readonly #settings: Settings
  readonly #tally: Tally
  readonly #leases: Leases

  constructor(settings: Settings, tally: Tally, leases: Leases) {
    this.#settings = settings
    this.#tally = tally
    this.#leases = leases
  }

  /** What the client gets once the handler has answered. */
  async finish(visit: Visit, response: Response): Promise<Response> {
    const { reply, when } = this.#settings
    if (when !== 'after') visit.lease?.close()
    if (reply === 'silent') return this.#disguise(visit, response)
    if (visit.refusal !== undefined) {
      response.body?.cancel().catch(() => {}) // nobody will read it
      return this.refuse(visit)
    }
    return reply === 'tag' ? taggedResponse(response, visit.action) : response
  }

  /** The refusal of a visit that has one. */
  refuse(visit: Visit): Response {
    const { refusal, client, lease } = visit
    lease?.close()
    let response: Response
    try {
      response = this.#settings.refusal(refusal!, visit.request)
    } catch (thrown) {
      this.#tally.failed(visit.client, 'refusal_failed', inWords(thrown))
      response = refusalResponse(refusal!)
    }
    this.#tally.happened({ kind: 'refused', client, code: refusal!.code, status: response.status })
    return response
  }

  /** What a client gets where nothing may tell whether it is refused. */
  async #disguise(visit: Visit, response: Response): Promise<Response> {
    const { decoy, limits, output } = this.#settings
    const { refusal } = visit
    if (decoy !== undefined)
      return refusal === undefined ? response : this.#decoy(visit, () => decoy(visit.request, response))
    const lease = this.#leases.open()
    const hide = output!.hide!
    const { truth, harmless } =
      lease === undefined
        ? { truth: response, harmless: undefined }
        : await disguise(response, hide, { maxBytes: limits.bodyBytes, lease })
    lease?.close()
    return refusal === undefined ? truth : this.#decoy(visit, () => harmless)
  }

  /** The harmless answer; without one a refusal, so that the truth is not told. */
  async #decoy(visit: Visit, make: () => Response | undefined | Promise<Response>): Promise<Response> {
    let failure = 'the answer is no JSON with scores, or is above limits.bodyBytes'
    try {
      const harmless = await make()
      if (harmless !== undefined) {
        this.#tally.happened({ kind: 'decoy', client: visit.client, code: visit.refusal!.code })
        return harmless
      }
    } catch (thrown) {
      failure = inWords(thrown)
    }
    this.#tally.failed(visit.client, 'decoy_failed', failure)
    visit.refusal = failureRefusal('decoy_failed')
    return this.refuse(visit)
  }
}
