/** How the server is, and whether it is heard. */
import type { Link } from './connection.ts'
import { byId, setText } from './elements.ts'
import { time } from './format.ts'
import type { Status } from './wire.ts'

const STATES: Readonly<Record<Status['state'], readonly [text: string, tone: string]>> = {
  ready: ['Ready', 'calm'],
  starting: ['Starting: models are loading', 'flag'],
  stopping: ['Stopping', 'flag'],
}

/** The word in the header, and the notice under it while the connection is lost. */
export class LinkState {
  #link: Link = { state: 'connecting' }
  #server: Status['state'] | undefined
  #heardMs: number | undefined

  constructor(onRetry: () => void) {
    byId('lost-retry').addEventListener('click', onRetry)
    setInterval(() => this.#countDown(), 1000)
  }

  /** `heardMs`: the server's time when it was heard last. */
  link(link: Link, heardMs: number | undefined): void {
    const wasLost = this.#link.state === 'lost'
    this.#link = link
    this.#heardMs = heardMs
    if (link.state === 'live' || link.state === 'locked') byId('lost').hidden = true
    if (link.state === 'lost') this.#lost(link.reason, wasLost)
    this.#show()
    this.#countDown()
  }

  server(state: Status['state']): void {
    this.#server = state
    this.#show()
  }

  #lost(reason: string, wasLost: boolean): void {
    const ms = this.#heardMs
    const lost = ms === undefined ? 'Not connected' : 'Connection lost'
    const shown = ms === undefined ? '' : ` What is shown is from ${time(ms)}.`
    setText(byId('lost-text'), `${lost}: ${reason}.${shown}`)
    if (!wasLost) byId('lost').hidden = false
  }

  #show(): void {
    const [text, tone] = this.#words()
    setText(byId('state'), text)
    byId('state').className = `badge state ${tone}`
    document.title = byId('lost').hidden ? 'monitaur cockpit' : 'Connection lost · monitaur cockpit'
  }

  #words(): readonly [text: string, tone: string] {
    if (!byId('lost').hidden) return ['Connection lost', 'suspend']
    if (this.#link.state === 'locked') return ['Token needed', 'flag']
    return this.#link.state === 'live' && this.#server !== undefined ? STATES[this.#server] : ['Connecting …', 'info']
  }

  /** For the eye only: it would be said aloud each second. */
  #countDown(): void {
    const link = this.#link
    const seconds = link.state === 'lost' ? Math.max(0, Math.ceil((link.retryMs - performance.now()) / 1000)) : 0
    setText(byId('lost-countdown'), seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again …')
  }
}
