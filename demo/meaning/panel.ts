/**
 * The opt-in to a sentence model: its size is shown before anything of it is loaded, and a bar while it is. Nothing is
 * asked of anybody before the visitor has pressed a button that says whom.
 */
import { isMonitorError } from '../../src/core/index.ts'
import type { ProgressEvent } from '../../src/embed/index.ts'
import { errorLine } from '../card.ts'
import { button, byId, element } from '../elements.ts'
import type { Session } from '../session.ts'
import { HUB, MODEL, megabytes, type Place, placeOf } from './place.ts'
import type { Size } from './size.worker.ts'
import sizeWorkerUrl from './size.worker.ts?worker&url'

/** What is loaded from this site with it: onnxruntime's WebAssembly and transformers.js. */
const RUNTIME = 'and 27 MB of runtime (7 MB compressed) from this site'

/** `onChanged` is told in words that all queries were judged again. */
export function setUpMeaning(session: Session, onChanged: (told: string) => void): void {
  const model = element('input', {
    type: 'text',
    id: 'meaning-model',
    value: MODEL,
    spellcheck: 'false',
    'data-testid': 'meaning-model',
  })
  const from = element('input', {
    type: 'text',
    id: 'meaning-from',
    value: HUB,
    spellcheck: 'false',
    'data-testid': 'meaning-from',
  })
  const ask = button('', () => attempt(showSize), { 'data-testid': 'meaning-size' })
  const load = button('', () => attempt(download), { class: 'primary', hidden: true, 'data-testid': 'meaning-load' })
  const stop = button('Stop', () => control?.abort(), { hidden: true, 'data-testid': 'meaning-stop' })
  const back = button('Back to wording', () => attempt(leave), { hidden: true, 'data-testid': 'meaning-back' })
  const bar = element('progress', {
    max: 1,
    value: 0,
    hidden: true,
    'aria-label': 'Loading the model',
    'data-testid': 'meaning-bar',
  })
  const told = element('p', { class: 'hint', role: 'status', 'data-testid': 'meaning-told' })
  const problem = element('div', { role: 'alert', 'data-testid': 'meaning-problem' })
  let place: Place | undefined
  let control: AbortController | undefined

  byId('meaning').append(
    element(
      'p',
      { class: 'hint' },
      'Texts are compared by their wording here. A sentence model compares them by meaning: it is downloaded once, kept by ' +
        'your browser and run in the worker. Your texts stay in this tab all the same.',
    ),
    element(
      'div',
      { class: 'stack' },
      element('label', { for: 'meaning-model' }, 'Model (ONNX, for transformers.js)'),
      model,
      element('label', { for: 'meaning-from' }, 'From: a hub, or a folder of this site such as models/'),
      from,
      element('p', { class: 'row' }, ask, load, stop, back),
      bar,
      told,
      problem,
    ),
  )
  for (const field of [model, from]) field.addEventListener('input', forget)
  forget()

  /** Another choice: its size is not known yet. */
  function forget(): void {
    place = undefined
    load.hidden = true
    told.textContent = ''
    ask.textContent = `Ask ${hostOf(from.value)} for its size`
  }

  async function showSize(): Promise<void> {
    const chosen = placeOf({ model: model.value.trim(), from: from.value.trim() }, document.baseURI)
    told.textContent = `Asking ${chosen.host} …`
    const size = await sizeOf(chosen.files)
    if (!size.ok) throw new Error(size.message)
    const known = size.unknown === 0 ? megabytes(size.bytes) : `at least ${megabytes(size.bytes)}`
    told.textContent = `${known} of model from ${chosen.host} ${RUNTIME}.`
    load.textContent = `Download ${known} and compare by meaning`
    load.hidden = false
    place = chosen
  }

  async function download(): Promise<void> {
    if (place === undefined) return
    const { reader, host } = place
    control = new AbortController()
    setBusy(true)
    const started = performance.now()
    try {
      const capabilities = await session.readBy(reader, { signal: control.signal, onProgress: showProgress })
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const runs =
        capabilities?.backend === undefined ? '' : `, ${capabilities.backend}, ${capabilities.threads} thread(s)`
      told.textContent = `In use: ${String(reader['model'])} from ${host}${runs}; ready after ${seconds} s.`
      load.hidden = true
      back.hidden = false
      onChanged(again())
    } finally {
      setBusy(false)
    }
  }

  async function leave(): Promise<void> {
    await session.readBy(undefined)
    back.hidden = true
    told.textContent = 'Texts are compared by their wording again.'
    onChanged(again())
  }

  function again(): string {
    return session.judged.length === 0 ? '' : 'All queries so far were judged again.'
  }

  function showProgress({ phase, file, loaded, total, overall }: ProgressEvent): void {
    bar.value = overall
    const size = total === undefined ? megabytes(loaded) : `${megabytes(loaded)} of ${megabytes(total)}`
    if (phase === 'download') told.textContent = `${file}: ${size}`
    else if (phase === 'compile') told.textContent = 'The runtime is being prepared …'
  }

  function setBusy(isBusy: boolean): void {
    for (const one of [model, from, ask, load]) one.disabled = isBusy
    bar.hidden = !isBusy
    stop.hidden = !isBusy
    if (isBusy) bar.value = 0
  }

  function attempt(work: () => Promise<void>): void {
    problem.replaceChildren()
    work().catch((thrown: unknown) => {
      told.textContent = ''
      if (isMonitorError(thrown) && thrown.code === 'aborted') {
        told.textContent = 'Stopped. Texts are compared as before.'
        return
      }
      const message = thrown instanceof Error ? thrown.message : String(thrown)
      problem.replaceChildren(
        isMonitorError(thrown) ? errorLine(thrown.toJSON()) : element('p', { class: 'error-line' }, message),
      )
    })
  }
}

function hostOf(from: string): string {
  return URL.canParse(from.trim(), document.baseURI) ? new URL(from.trim(), document.baseURI).host : 'the host'
}

function sizeOf(files: readonly string[]): Promise<Size> {
  const worker = new Worker(`${sizeWorkerUrl}?model`, { type: 'module' })
  const size = new Promise<Size>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<Size>) => resolve(data)
    worker.onerror = () => resolve({ ok: false, message: 'the worker that asks for the size cannot be loaded' })
    worker.postMessage(files)
  })
  return size.finally(() => worker.terminate())
}
