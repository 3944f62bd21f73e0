/**
 * `POST /detect` without request and answer objects, for adapters that can hand over the body itself. The route's own
 * functions, in the order of the route: room, reading, judging, counting.
 */
import { tooSlow } from './body.ts'
import { detectJson, detectJsonNow } from './detect.ts'
import { HttpError, toHttpError } from './errors.ts'
import { type StatusLabels, statusLabels } from './labels.ts'
import { isBug, type Service } from './service.ts'

/** JSON, ready to be written. */
export interface DirectAnswer {
  readonly status: number
  readonly text: string
  /** Beside the content type and the length. */
  readonly headers: Readonly<Record<string, string>>
}

const HEADERS: Readonly<Record<string, string>> = { 'x-content-type-options': 'nosniff' }

/**
 * The short way. Whoever takes it has seen that the request is JSON of a known length, is not compressed, and comes from
 * no page of another site. None of its functions throws or rejects.
 */
export class DirectDetect {
  readonly #service: Service
  readonly #labels: StatusLabels

  constructor(service: Service) {
    this.#service = service
    this.#labels = statusLabels(service, '/detect', 'POST')
  }

  /** A request of this length begins: the refusal if there is no room. Otherwise one of the other three ends it. */
  enter(length: number): DirectAnswer | undefined {
    const { gate } = this.#service
    try {
      gate.enter()
    } catch (thrown) {
      return this.#count(refusal(thrown), 0)
    }
    try {
      gate.takeBytes(length)
      return undefined
    } catch (thrown) {
      gate.leave()
      return this.#count(refusal(thrown), 0)
    }
  }

  /** The answer to a body at once; undefined if that is not possible, and then nothing has been done. */
  answerNow(bytes: Uint8Array): DirectAnswer | undefined {
    const startMs = performance.now()
    let answer: DirectAnswer
    try {
      const text = detectJsonNow(this.#service, bytes, startMs)
      if (text === undefined) return undefined
      answer = { status: 200, text, headers: HEADERS }
    } catch (thrown) {
      answer = this.#refuse(thrown)
    }
    this.#leave(bytes.length)
    return this.#count(answer, startMs)
  }

  /** The answer to a body, when its turn has come. */
  async answer(bytes: Uint8Array): Promise<DirectAnswer> {
    const startMs = performance.now()
    let answer: DirectAnswer
    try {
      answer = { status: 200, text: await detectJson(this.#service, bytes, startMs), headers: HEADERS }
    } catch (thrown) {
      answer = this.#refuse(thrown)
    }
    this.#leave(bytes.length)
    return this.#count(answer, startMs)
  }

  /** The body begins to come, and `cut` gives it up for others; call what this returns once it is there. */
  receive(cut: () => void): () => void {
    return this.#service.gate.receive(cut)
  }

  /** The body came too slowly while others waited. */
  giveUp(length: number): DirectAnswer {
    this.#leave(length)
    return this.#count(refusal(tooSlow()), performance.now())
  }

  /** The body never came. */
  abandon(length: number): void {
    this.#leave(length)
    this.#count(refusal(new HttpError(400, 'bad_request', 'the body broke off')), performance.now())
  }

  #leave(length: number): void {
    this.#service.gate.giveBytes(length)
    this.#service.gate.leave()
  }

  #refuse(thrown: unknown): DirectAnswer {
    if (isBug(thrown)) this.#service.failed(thrown)
    return refusal(thrown)
  }

  #count(answer: DirectAnswer, startMs: number): DirectAnswer {
    const seconds = startMs === 0 ? 0 : (performance.now() - startMs) / 1000
    this.#service.instruments.requested(this.#labels(answer.status), seconds)
    return answer
  }
}

function refusal(thrown: unknown): DirectAnswer {
  const { status, code, message, path, headers } = toHttpError(thrown)
  return { status, text: JSON.stringify({ error: { code, message, path } }), headers: { ...HEADERS, ...headers } }
}
