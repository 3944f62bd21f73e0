/** `<run-badge>`: what the story runs on and what it costs, measured here and now. */
import { element } from '../elements.ts'
import { strangers } from '../facts.ts'
import type { QueryEvent } from './events.ts'
import type { BackendReport } from './protocol.ts'

const TITLES = { plain: 'TypeScript', wasm: 'onnxruntime WASM', webgpu: 'onnxruntime WebGPU' } as const

export class RunBadge extends HTMLElement {
  readonly #values = new Map<string, HTMLElement>()
  #times: number[] = []
  #longTasks = 0
  #longest = 0

  connectedCallback(): void {
    if (this.#values.size > 0) return
    const list = element('dl', {})
    for (const [key, title] of ROWS) {
      const value = element('dd', { 'data-testid': `badge-${key}` }, '–')
      this.#values.set(key, value)
      list.append(element('div', {}, element('dt', {}, title), value))
    }
    this.append(list)
    this.#set('sent', '0')
    this.#set('tasks', '0')
    if (PerformanceObserver.supportedEntryTypes.includes('longtask')) this.#watchTasks()
    else this.#set('tasks', 'not told here')
  }

  #watchTasks(): void {
    new PerformanceObserver((entries) => {
      for (const { duration } of entries.getEntries()) {
        this.#longTasks++
        this.#longest = Math.max(this.#longest, duration)
      }
      this.#set('tasks', `${this.#longTasks} (longest ${Math.round(this.#longest)} ms)`)
    }).observe({ type: 'longtask', buffered: true })
  }

  report({ backend, threads, adapter }: BackendReport): void {
    this.#times = []
    this.#set('backend', adapter === '' ? TITLES[backend] : `${TITLES[backend]} (${adapter})`)
    this.#set('threads', `${threads}, in a Web Worker`)
  }

  show(queries: readonly QueryEvent[]): void {
    this.#times = [...this.#times, ...queries.map(({ ms }) => ms)].slice(-101)
    if (this.#times.length === 0) return
    const sorted = this.#times.toSorted((a, b) => a - b)
    this.#set('ms', `${sorted[sorted.length >> 1]!.toFixed(2)} ms`)
    const found = strangers()
    this.#set('sent', found.length === 0 ? '0' : `requests to ${found.join(', ')}`)
  }

  #set(key: string, text: string): void {
    const value = this.#values.get(key)
    if (value !== undefined && value.textContent !== text) value.textContent = text
  }
}

const ROWS = [
  ['backend', 'Model runs on'],
  ['threads', 'Threads'],
  ['ms', 'Model and detectors, per query'],
  ['sent', 'Bytes sent'],
  ['tasks', 'Long tasks of the page'],
] as const
