/** The way of a request: named, admitted, read, judged, answered. In which order is what `when` and `onError` say. */
import { isMonitorError } from '../../core/index.ts'
import type { Verdict } from '../../core/monitor/index.ts'
import { hostWaitUntil } from '../client/host.ts'
import { Ending } from './ending.ts'
import { Leases } from './leases.ts'
import type { Settings } from './options.ts'
import { type Fail, inWords, outputOf, queryOf } from './reader.ts'
import { failureRefusal, SUSPENDED, suspended, throttled } from './refusal.ts'
import { taggedRequest } from './tag.ts'
import { type FailureCode, Tally } from './tally.ts'
import { isUnjudged, type Known, newVisit, stricter, type Visit } from './visit.ts'
import { inTime, isPromise } from './watcher.ts'

/** What stands behind the middleware. */
export type Next = (request: Request) => Response | Promise<Response>

type Output = ArrayLike<number> | undefined

/** Statuses by which a handler itself turns a request away: its client has learned nothing of the model. */
const NOT_SERVED: ReadonlySet<number> = new Set([401, 403, 404, 405, 429])

export class Engine {
  readonly tally: Tally
  readonly #settings: Settings
  readonly #leases: Leases
  readonly #ending: Ending
  /** Nothing is looked at, and answers stay as they are: whoever is admitted is served. */
  readonly #onlyAdmits: boolean
  /** Work after responses that no host keeps alive for us. */
  readonly #held = new Set<Promise<void>>()

  constructor(settings: Settings) {
    this.#settings = settings
    const { query, output, reply } = settings
    this.#onlyAdmits = query === undefined && output === undefined && reply !== 'silent'
    this.tally = new Tally(settings.onEvent)
    this.#leases = new Leases(settings.limits, settings.now)
    this.#ending = new Ending(settings, this.tally, this.#leases)
  }

  /** Rejects with what `next` throws, and with nothing else. */
  async handle(request: Request, args: readonly unknown[], next: Next): Promise<Response> {
    const { refuses, isClosed, when } = this.#settings
    this.tally.requested()
    const visit = newVisit(request, args)
    await this.#name(visit)
    if (refuses && visit.isNamed) await this.#admit(visit)
    if (this.#isOver(visit)) return this.#ending.refuse(visit)
    if (this.#onlyAdmits) return this.#serve(visit, undefined, next)

    const read = this.#openQuery(visit)
    if (isClosed || when === 'before') await this.#readFirst(visit, read)
    if (this.#isOver(visit)) return this.#ending.refuse(visit)

    const response = await this.#serve(visit, read, next)
    if (when !== 'before') await this.#watchAnswer(visit, read, response)
    return this.#ending.finish(visit, response)
  }

  /** Work after responses is done, as far as no host keeps it alive itself; given up after `limits.holdMs`. */
  async settled(): Promise<void> {
    const all = async () => {
      while (this.#held.size > 0) await Promise.all(this.#held)
    }
    await inTime(all(), this.#settings.limits.holdMs).catch(noop)
  }

  async #name(visit: Visit): Promise<void> {
    try {
      const named = this.#settings.client(visit.request, ...visit.args)
      const client = isPromise(named) ? await named : named
      visit.client = client ?? ''
      visit.isNamed = client !== undefined
      if (!visit.isNamed) this.#fail(visit, 'unidentified', 'neither an API key nor an address of the client is known')
    } catch (thrown) {
      this.#fail(visit, 'unidentified', inWords(thrown))
    }
  }

  async #admit(visit: Visit): Promise<void> {
    const { monitor, limits } = this.#settings
    try {
      const asked = monitor.admit(visit.client)
      const admission = isPromise(asked) ? await inTime(asked, limits.timeoutMs) : asked
      if (!admission.allowed) this.#suspend(visit, admission)
    } catch (thrown) {
      this.#monitorFailed(visit, thrown)
    }
  }

  /** Starts to copy the body. Undefined where nothing is watched, or where there is no room. */
  #openQuery(visit: Visit): (() => Promise<Known>) | undefined {
    const { query, output } = this.#settings
    if (query === undefined && output === undefined) return undefined
    visit.lease = this.#leases.open()
    if (visit.lease !== undefined) return queryOf(visit, visit.lease, this.#settings, this.#failOf(visit))
    this.#fail(visit, 'overloaded', 'too many requests are not judged yet: see limits.pending')
    return undefined
  }

  async #readFirst(visit: Visit, read: (() => Promise<Known>) | undefined): Promise<void> {
    if (read === undefined) return
    const known = await read()
    if (this.#settings.when === 'before' && !this.#isOver(visit)) await this.#judgeInTime(visit, known, undefined)
  }

  async #serve(visit: Visit, read: (() => Promise<Known>) | undefined, next: Next): Promise<Response> {
    const { reply, when } = this.#settings
    try {
      return await next(reply === 'tag' ? taggedRequest(visit.request, visit.action) : visit.request)
    } catch (thrown) {
      this.tally.failed(visit.client, 'handler_threw', inWords(thrown))
      // A query that makes the handler fail is a query.
      if (read !== undefined && when !== 'before') this.#afterwards(visit, async () => [await read(), undefined])
      else visit.lease?.close()
      throw thrown
    }
  }

  async #watchAnswer(visit: Visit, read: (() => Promise<Known>) | undefined, response: Response): Promise<void> {
    const { lease } = visit
    if (read === undefined || lease === undefined) return
    if (NOT_SERVED.has(response.status)) {
      this.tally.happened({ kind: 'skipped', client: visit.client, reason: 'not_served' })
      // The copy has to be read, or the body waits for it.
      this.#hold(
        visit,
        read().then(() => lease.close()),
      )
      return
    }
    const output = outputOf(response, lease, this.#settings, (code, message) =>
      this.tally.failed(visit.client, code, message),
    )
    const both = async (): Promise<[Known, Output]> => [await read(), await output()]
    if (this.#settings.when === 'between') await this.#judgeInTime(visit, ...(await both()))
    else this.#afterwards(visit, both)
  }

  // Judging

  async #judgeInTime(visit: Visit, known: Known, output: Output): Promise<void> {
    if (!this.#isJudgeable(visit, known, output)) return
    const judged = this.#inspect(visit, known, output)
    try {
      this.#act(visit, await inTime(judged, this.#settings.limits.timeoutMs))
    } catch (thrown) {
      this.#monitorFailed(visit, thrown)
      this.#hold(visit, judged.then(noop, noop)) // late, but learned
    }
  }

  #afterwards(visit: Visit, gather: () => Promise<[Known, Output]>): void {
    const work = async () => {
      try {
        await nextTurn() // else all of this happens before the host sends the response
        const [known, output] = await gather()
        if (this.#isJudgeable(visit, known, output)) await this.#inspect(visit, known, output)
      } catch (thrown) {
        this.tally.failed(visit.client, codeOf(thrown), inWords(thrown)) // the response is gone
      } finally {
        visit.lease?.close()
      }
    }
    this.#hold(visit, work())
  }

  #isJudgeable(visit: Visit, known: Known, output: Output): boolean {
    if (known.kind === 'failed') return output !== undefined
    const isEmpty = this.#settings.query === undefined && output === undefined
    if (known.kind === 'query' && !isEmpty) return true
    const reason = known.kind === 'none' ? 'no_query' : 'no_output'
    this.tally.happened({ kind: 'skipped', client: visit.client, reason })
    return false
  }

  async #inspect({ client }: Visit, known: Known, output: Output): Promise<Verdict> {
    const query = known.kind === 'query' ? known.query : {}
    const whole = { ...query, client, ...(output === undefined ? {} : { modelOutput: output }) }
    const verdict = await this.#settings.monitor.inspect(whole, { transfer: true })
    this.tally.happened({ kind: 'verdict', client, verdict })
    return verdict
  }

  /** What a verdict that came in time means for this request. */
  #act(visit: Visit, verdict: Verdict): void {
    const { monitor, now, refuses, reply } = this.#settings
    visit.action = stricter(visit.action, verdict.proposed)
    if (!refuses || !visit.isNamed || visit.refusal !== undefined) return
    if (verdict.action === 'suspend') this.#suspend(visit, { suspendedUntilMs: now(), ...verdict.client })
    else if (verdict.action !== 'throttle') return
    else if (isUnjudged(verdict)) visit.refusal = failureRefusal(verdict.errors[0]!.code)
    else if (reply !== 'delayed') visit.refusal = throttled(monitor.policy.fadePerMinute)
  }

  #suspend(
    visit: Visit,
    { suspendedUntilMs: untilMs, suspendedSinceMs }: { suspendedUntilMs: number; suspendedSinceMs?: number },
  ): void {
    const { delay, now, reply } = this.#settings
    if (reply !== 'delayed') visit.refusal = suspended(untilMs, now())
    else if (delay.isFelt(visit.client, untilMs, now(), suspendedSinceMs)) visit.refusal = SUSPENDED
  }

  // Refusing

  /** Refused, and nothing stands for the refusal. */
  #isOver(visit: Visit): boolean {
    return visit.refusal !== undefined && this.#settings.reply !== 'silent'
  }

  // Counting and holding

  /** Counts a failure after which the policy decides. */
  #fail(visit: Visit, code: FailureCode, message: string): void {
    this.tally.failed(visit.client, code, message)
    const { isClosed, refuses } = this.#settings
    if (!isClosed) return
    visit.action = 'throttle'
    if (refuses) visit.refusal ??= failureRefusal(code)
  }

  #failOf(visit: Visit): Fail {
    return (code, message) => this.#fail(visit, code, message)
  }

  #monitorFailed(visit: Visit, thrown: unknown): void {
    this.#fail(visit, codeOf(thrown), inWords(thrown))
  }

  /** Goes on with work that never rejects, after the response if need be. */
  #hold(visit: Visit, work: Promise<void>): void {
    const waitUntil = this.#settings.waitUntil ?? hostWaitUntil(visit.args)
    try {
      waitUntil?.(work)
      if (waitUntil !== undefined) return
    } catch {
      // The host's event is over: held here.
    }
    this.#held.add(work)
    work.finally(() => this.#held.delete(work))
  }
}

function codeOf(thrown: unknown): FailureCode {
  return isMonitorError(thrown) ? thrown.code : 'monitor_failed'
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}

function noop(): void {}
