/** `<draw-digit>`: the visitor draws a digit and changes it; what is nearly the same as before lights up. */
import { button, element } from '../elements.ts'
import { digitCanvas, paintDigit } from './digitCanvas.ts'
import { NEAR } from './near.ts'
import type { Draw, Drawn, FromWorker } from './protocol.ts'

const SIDE = 28
/** Half the width of the brush, in pixels of the digit. */
const BRUSH = 1.5
/** Largest change that “a little” makes to a pixel, of 255. */
const LITTLE = 12
/** Pictures kept in view. */
const SHOWN = 12

export class DrawDigit extends HTMLElement {
  readonly #ink = new Uint8Array(SIDE * SIDE)
  readonly #pad = digitCanvas('Your digit: draw with a pointer, or use the buttons')
  readonly #answer = element(
    'p',
    { class: 'draw-answer', role: 'status', 'data-testid': 'draw-answer' },
    'Nothing drawn yet.',
  )
  readonly #list = element('ol', { class: 'drawn', 'aria-label': 'Your queries' })
  #worker: Worker | undefined
  #id = 0
  #seed = Date.now() % 2 ** 32

  connectedCallback(): void {
    if (this.#pad.isConnected) return
    this.#pad.className = 'pad'
    this.#pad.dataset['testid'] = 'pad'
    this.#pad.addEventListener('pointerdown', (event) => this.#begin(event))
    this.#pad.addEventListener('pointermove', (event) => this.#go(event))
    this.#pad.addEventListener('pointerup', () => this.#ask())
    this.append(
      this.#pad,
      element(
        'div',
        { class: 'draw-side' },
        element(
          'p',
          { class: 'row' },
          button('Draw one for me', () => this.#send({ kind: 'sample', id: ++this.#id, seed: this.#seed++ }), {
            'data-testid': 'draw-sample',
          }),
          button('Change it a little', () => this.#change(), { 'data-testid': 'draw-change' }),
          button('Clear', () => this.#clear()),
        ),
        this.#answer,
        this.#list,
      ),
    )
    paintDigit(this.#pad, this.#ink)
  }

  #begin(event: PointerEvent): void {
    this.#pad.setPointerCapture(event.pointerId)
    this.#go(event)
  }

  #go(event: PointerEvent): void {
    if (event.buttons === 0) return
    for (const { offsetX, offsetY } of event.getCoalescedEvents?.().concat(event) ?? [event]) {
      this.#dab((SIDE * offsetX) / this.#pad.clientWidth, (SIDE * offsetY) / this.#pad.clientHeight)
    }
    paintDigit(this.#pad, this.#ink)
  }

  #dab(x: number, y: number): void {
    for (let i = 0; i < this.#ink.length; i++) {
      const distance = Math.hypot((i % SIDE) + 0.5 - x, Math.floor(i / SIDE) + 0.5 - y)
      const ink = Math.round(255 * Math.min(Math.max(BRUSH + 0.5 - distance, 0), 1))
      this.#ink[i] = Math.max(this.#ink[i]!, ink)
    }
  }

  #change(): void {
    for (const [i, value] of this.#ink.entries()) {
      this.#ink[i] = Math.min(Math.max(value + Math.round(LITTLE * (2 * Math.random() - 1)), 0), 255)
    }
    paintDigit(this.#pad, this.#ink)
    this.#ask()
  }

  #clear(): void {
    this.#ink.fill(0)
    paintDigit(this.#pad, this.#ink)
  }

  #ask(): void {
    this.#send({ kind: 'draw', id: ++this.#id, picture: this.#ink.slice() })
  }

  #send(message: Draw): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(message)
  }

  #start(): Worker {
    const worker = new Worker(new URL('./story.worker.ts', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === 'drawn') this.#tell(data)
      else if (data.kind === 'failed') this.#answer.textContent = `This cannot be judged: ${data.message}`
      else if (data.kind === 'sample') {
        this.#ink.set(data.picture)
        paintDigit(this.#pad, this.#ink)
        this.#ask()
      }
    }
    worker.onerror = () => {
      this.#worker = undefined
      this.#list.replaceChildren()
      this.#answer.textContent = 'The worker died, and with it what it remembered. The next digit starts another one.'
    }
    return worker
  }

  #tell({ number, label, sure, nearest, isSuspicious, reason, picture }: Drawn): void {
    const isNear = nearest !== null && nearest.change <= NEAR
    const near = isNear
      ? `Almost the same as your query ${nearest.number}: no pixel differs by more than ${Math.round(nearest.change)} of 255.`
      : 'Nothing like it among your queries.'
    const alarm = isSuspicious ? ` You would be suspended. ${reason}` : ''
    this.#answer.textContent = `Query ${number}: the model says ${label} (${(100 * sure).toFixed(0)} %). ${near}${alarm}`
    const canvas = digitCanvas(`Query ${number}, the model says ${label}`)
    paintDigit(canvas, picture)
    this.#list.prepend(
      element('li', { 'data-near': String(isNear) }, canvas, isNear ? `${number} ≈ ${nearest.number}` : `${number}`),
    )
    while (this.#list.children.length > SHOWN) this.#list.lastElementChild?.remove()
  }
}
