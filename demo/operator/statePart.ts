/** The tab with the state of the detectors: out to a file, and back. */
import { button, element } from '../elements.ts'
import type { Operated, OperatedState } from './metrics.ts'
import { loadState, STATE_NAME, saveState } from './stateFile.ts'

const KEEP_URL_MS = 10_000

/** The buttons of one monitor. `onRestored` is told its name. */
export function statePart(
  { model, describe }: Operated,
  { state, onRestored }: { readonly state: OperatedState; readonly onRestored: (model: string) => void },
): HTMLElement {
  const id = `op-state-${model}`
  const said = element('p', { class: 'op-said', role: 'status', 'data-testid': `${id}-said` })
  const problem = element('p', { class: 'op-problem', role: 'alert', 'data-testid': `${id}-problem` })
  const file = element('input', { type: 'file', id, 'data-testid': `${id}-file` })
  file.addEventListener('change', () => {
    const chosen = file.files?.[0]
    if (chosen === undefined) return
    attempt(() => load(chosen))
    file.value = '' // so that the same file can be chosen again
  })
  return element(
    'section',
    { class: 'op-state', 'aria-labelledby': `${id}-name` },
    element('h3', { id: `${id}-name` }, `Monitor ${model}`),
    state.about === undefined ? null : element('p', { class: 'hint' }, state.about),
    element(
      'div',
      { class: 'op-bar' },
      button('Save the state', () => attempt(save), { 'data-testid': `${id}-save` }),
      element('label', { class: 'button', for: id }, 'Load a state', file),
    ),
    said,
    problem,
  )

  async function save(): Promise<void> {
    const bytes = await saveState(state)
    const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
    element('a', { href: url, download: STATE_NAME }).click()
    setTimeout(() => URL.revokeObjectURL(url), KEEP_URL_MS) // the browser has begun to read it by then
    tell(`Saved ${bytes.length.toLocaleString('en')} bytes.`)
  }

  async function load(chosen: File): Promise<void> {
    const loaded = await loadState(state, new Uint8Array(await chosen.arrayBuffer()))
    if (!loaded.ok) {
      tell('', loaded.message)
      return
    }
    const { counts, clients } = await describe()
    tell(`Loaded ${chosen.name}: ${counts.queries} queries of ${clients.active} clients.`)
    onRestored(model)
  }

  function attempt(work: () => Promise<void>): void {
    work().catch((thrown: unknown) => tell('', thrown instanceof Error ? thrown.message : String(thrown)))
  }

  function tell(good: string, bad = ''): void {
    said.textContent = good
    problem.textContent = bad
  }
}
