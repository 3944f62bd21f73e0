/** The buttons under the story. */
import { button, byId, element } from '../elements.ts'
import { type Settings, SPEEDS } from './address.ts'
import { ATTACK_NAMES, ATTACK_TITLES, type AttackName, type CastName } from './names.ts'
import { BACKEND_NAMES, type BackendName } from './protocol.ts'

export interface ControlOptions {
  readonly onChange: (changed: Partial<Settings>) => void
  readonly onBackend: (backend: BackendName) => void
  readonly onPlay: () => void
  readonly onAgain: () => void
  readonly onStep: () => void
  readonly onCrash: () => void
}

export interface PlayState {
  readonly isPlaying: boolean
  readonly isOver: boolean
  /** Reduced motion: a storyboard. */
  readonly isStill: boolean
  readonly backend: BackendName
}

export interface StoryControls {
  show(settings: Settings, state: PlayState): void
  allowStep(isAllowed: boolean): void
  /** What has happened to the worker or the backend. */
  tell(words: string): void
}

/** What a backend weighs before it is loaded, compressed, with its script. */
const BACKENDS: Readonly<Record<BackendName, string>> = {
  plain: 'TypeScript (here already)',
  wasm: 'onnxruntime WASM (14 MB, 3.7 compressed)',
  webgpu: 'onnxruntime WebGPU (27 MB, 6.7 compressed)',
}

const CASTS: readonly (readonly [CastName, string])[] = [
  ['story', 'The four users'],
  ['explainer', 'An explain tool that is not flagged'],
  ['miss', 'An attack that is missed'],
]

export function createControls(options: ControlOptions): StoryControls {
  const { onChange, onBackend, onPlay, onAgain, onStep, onCrash } = options
  let seed = 0
  let isProtected = true
  const play = button('Pause', onPlay, { 'data-testid': 'story-play' })
  const step = button('Next picture', onStep, { class: 'primary', 'data-testid': 'story-step' })
  const again = button('Play again', onAgain, { 'data-testid': 'story-again' })
  const shield = button('', () => onChange({ protection: !isProtected }), {
    role: 'switch',
    class: 'switch',
    'aria-checked': 'true',
    'data-testid': 'protection',
  })
  shield.append(
    element('span', { class: 'switch-track', 'aria-hidden': 'true' }, element('span', { class: 'switch-knob' })),
    'Protection',
  )
  const other = button('Another seed', () => onChange({ seed: (seed + 1) % 2 ** 32 }), { 'data-testid': 'story-seed' })
  const attack = choice(
    'attack',
    ATTACK_NAMES.map((name) => [name, ATTACK_TITLES[name]]),
    (value) => onChange({ attack: value as AttackName }),
  )
  const speed = choice(
    'speed',
    SPEEDS.map((value) => [String(value), `${value}×`]),
    (value) => onChange({ speed: Number(value) }),
  )
  const backend = choice(
    'backend',
    BACKEND_NAMES.map((name) => [name, BACKENDS[name]]),
    (value) => onBackend(value as BackendName),
  )
  const casts = CASTS.map(([cast, words]) =>
    button(words, () => onChange({ cast }), { 'aria-pressed': 'false', 'data-testid': `cast-${cast}` }),
  )
  const told = byId('story-told')
  byId('story-buttons').append(shield, play, step, again)
  byId('story-choices').append(label('Attack', attack), label('Speed', speed), other)
  byId('story-casts').append(...casts)
  byId('story-backend').append(
    label('Model runs on', backend),
    button('Kill the worker', onCrash, { 'data-testid': 'story-crash' }),
  )

  return {
    show(settings, { isPlaying, isOver, isStill, backend: used }) {
      seed = settings.seed
      isProtected = settings.protection
      shield.setAttribute('aria-checked', String(isProtected))
      play.textContent = isPlaying ? 'Pause' : 'Go on'
      play.hidden = isOver || isStill
      step.hidden = !isStill
      again.hidden = !isOver
      other.textContent = `Another seed (now ${seed})`
      attack.value = settings.attack
      attack.disabled = settings.cast !== 'story'
      speed.value = String(settings.speed)
      backend.value = used
      for (const [i, [cast]] of CASTS.entries()) casts[i]!.setAttribute('aria-pressed', String(cast === settings.cast))
    },
    allowStep(isAllowed) {
      if (step.disabled === isAllowed) step.disabled = !isAllowed
      if (!step.hidden) again.hidden = isAllowed
    },
    tell(words) {
      told.textContent = words
    },
  }
}

function choice(
  name: string,
  options: readonly (readonly [value: string, words: string])[],
  onPick: (value: string) => void,
): HTMLSelectElement {
  const select = element(
    'select',
    { id: `story-${name}`, 'data-testid': `story-${name}` },
    ...options.map(([value, words]) => element('option', { value }, words)),
  )
  select.addEventListener('change', () => onPick(select.value))
  return select
}

function label(words: string, select: HTMLSelectElement): HTMLElement {
  return element('label', { class: 'choice', for: select.id }, element('span', {}, words), select)
}
