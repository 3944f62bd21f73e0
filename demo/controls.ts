/** Sliders, reset, state files, and the button that kills the worker. */
import { isMonitorError } from '../src/core/index.ts'
import { errorLine } from './card.ts'
import { DEFAULTS, type Settings } from './config.ts'
import { button, byId, element } from './elements.ts'
import type { Session } from './session.ts'

interface Slider {
  readonly key: keyof Settings
  readonly label: string
  readonly min: number
  readonly max: number
  readonly step: number
  readonly show: (value: number) => string
}

const cosine = { min: 0.3, max: 1, step: 0.01, show: (value: number) => value.toFixed(2) }

const SLIDERS: readonly Slider[] = [
  { key: 'text', label: 'Texts are too alike from', ...cosine },
  { key: 'image', label: 'Pictures are too alike from', ...cosine },
  { key: 'tabular', label: 'Rows are too alike from', ...cosine },
  { key: 'repeats', label: 'Too often from', min: 1, max: 10, step: 1, show: (value) => `${value}×` },
  { key: 'radius', label: 'Same picture within', min: 0, max: 16, step: 1, show: (value) => `${value} of 64 bits` },
]

/** A slider that is being moved fires often; judging again waits for so long a pause, in ms. */
const PAUSE_MS = 120

interface ControlOptions {
  readonly session: Session
  /** The log has changed as a whole. */
  readonly onChanged: (told: string) => void
}

export function setUpControls({ session, onChanged }: ControlOptions): void {
  setUpSliders(session, onChanged)
  byId<HTMLDetailsElement>('thresholds-panel').open = matchMedia('(min-width: 64rem)').matches
  byId('reset').addEventListener('click', () =>
    attempt(async () => {
      await session.reset()
      onChanged('Everything is forgotten.')
    }),
  )
  byId('save').addEventListener('click', () => attempt(async () => download(await session.save())))
  const file = byId<HTMLInputElement>('load')
  file.addEventListener('change', () => {
    const chosen = file.files?.[0]
    file.value = ''
    if (chosen === undefined) return
    attempt(async () => {
      const queries = await session.load(new Uint8Array(await chosen.arrayBuffer()))
      onChanged(`State loaded: ${counted(queries)} remembered.`)
    })
  })
  setUpCrash(session)
}

function setUpSliders(session: Session, onChanged: (told: string) => void): void {
  const inputs = new Map<keyof Settings, { readonly input: HTMLInputElement; readonly output: HTMLOutputElement }>()
  let timer: ReturnType<typeof setTimeout> | undefined

  for (const { key, label, min, max, step } of SLIDERS) {
    const input = element('input', {
      type: 'range',
      id: `slider-${key}`,
      min,
      max,
      step,
      'data-testid': `slider-${key}`,
    })
    const output = element('output', { for: input.id })
    inputs.set(key, { input, output })
    input.addEventListener('input', () => {
      write({ ...read(), [key]: input.valueAsNumber })
      clearTimeout(timer)
      timer = setTimeout(apply, PAUSE_MS)
    })
    byId('sliders').append(element('label', { for: input.id }, label), output, input)
  }
  byId('sliders').append(
    button(
      'Back to the defaults',
      () => {
        write(DEFAULTS)
        apply()
      },
      { class: 'quiet' },
    ),
  )
  write(session.settings)

  function apply(): void {
    attempt(async () => {
      const before = suspiciousOf(session)
      await session.rejudge(read())
      const count = session.judged.length
      const what = count === 1 ? 'The query so far was' : `All ${count} queries so far were`
      onChanged(count === 0 ? '' : `${what} judged again: ${suspiciousOf(session)} suspicious, ${before} before.`)
    }).finally(() => write(session.settings))
  }

  function read(): Settings {
    return Object.fromEntries([...inputs].map(([key, { input }]) => [key, input.valueAsNumber])) as unknown as Settings
  }

  function write(settings: Settings): void {
    for (const { key, show } of SLIDERS) {
      const { input, output } = inputs.get(key)!
      input.valueAsNumber = settings[key]
      output.textContent = show(settings[key])
      input.setAttribute('aria-valuetext', show(settings[key]))
    }
  }
}

function suspiciousOf({ judged }: Session): number {
  return judged.filter(({ outcome }) => outcome.state === 'verdict' && outcome.verdict.suspicious).length
}

function setUpCrash(session: Session): void {
  const crash = byId<HTMLButtonElement>('crash')
  crash.addEventListener('click', () => {
    crash.disabled = true
    attempt(async () => {
      const started = performance.now()
      const queries = await session.crash()
      const ms = Math.round(performance.now() - started)
      byId('crash-result').textContent =
        `Killed. Another worker took over in ${ms} ms and remembers ${counted(queries)}.`
    }).finally(() => {
      crash.disabled = false
    })
  })
}

function counted(queries: number): string {
  return queries === 1 ? '1 query' : `${queries} queries`
}

function download(bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' }))
  element('a', { href: url, download: 'monitaur-state.bin' }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000) // the browser has begun to read it by then
}

/** Does it, and shows what went wrong instead of losing it. */
async function attempt(work: () => Promise<void>): Promise<void> {
  byId('notice').hidden = true
  try {
    await work()
  } catch (thrown) {
    tellError(thrown)
  }
}

export function tellError(thrown: unknown): void {
  const notice = byId('notice')
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const line = isMonitorError(thrown) ? errorLine(thrown.toJSON()) : element('p', { class: 'error-line' }, message)
  notice.replaceChildren(
    line,
    button(
      'Close',
      () => {
        notice.hidden = true
      },
      { class: 'quiet' },
    ),
  )
  notice.hidden = false
}
