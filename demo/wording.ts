/** Verdicts in words for a visitor; the detectors' own reasons stand beside them. */
import type { Detection } from '../src/core/index.ts'
import { isSimilarity, NOUN } from './config.ts'
import type { IconName } from './elements.ts'
import type { Earlier } from './mirror.ts'
import type { Judged } from './session.ts'

/** How a query came out. */
export interface Wording {
  readonly tone: IconName
  /** The verdict itself: two or three words. */
  readonly verdict: string
  /** Why, in one sentence; the earlier query is put behind it. */
  readonly why: string
  readonly earlier?: Earlier
}

/** Cosines from here on are shown as "the same": only rounding is left. */
const SAME = 0.99995

export function describe({ item, outcome }: Judged): Wording {
  if (outcome.state === 'failed') {
    return { tone: 'error', verdict: 'Not judged', why: 'The query never reached the detectors.' }
  }
  const { detections, errors } = outcome.verdict
  const noun = NOUN[item.kind]
  if (errors.length > 0 && !detections.some(({ suspicious }) => suspicious)) {
    const learned = detections.length === 0 ? 'and nothing was learned from it' : 'though one detector has learned it'
    const why = `An error never counts as "not suspicious": this ${noun} is held back, ${learned}.`
    return { tone: 'error', verdict: 'Could not be judged', why }
  }
  const near = detections.find(({ detector }) => isSimilarity(detector))
  const again = detections.find(({ detector }) => !isSimilarity(detector))
  const named = (detection: Detection | undefined) => {
    const earlier = detection === undefined ? undefined : outcome.earlier.get(detection.detector)
    return earlier === undefined ? {} : { earlier }
  }
  const alarm = { tone: 'alarm', verdict: 'Suspicious' } as const
  if (near?.suspicious && near.score >= SAME) return { ...alarm, why: `The same ${noun} as`, ...named(near) }
  if (near?.suspicious) return { ...alarm, why: `Almost the same ${noun} as`, ...named(near) }
  if (again?.suspicious) return { ...alarm, why: `${capital(noun)} seen ${again.score} times, as`, ...named(again) }
  const calm = { tone: 'calm', verdict: 'Not suspicious' } as const
  if (near !== undefined && outcome.earlier.has(near.detector)) {
    return { ...calm, why: 'Not close enough to anything before. Nearest:', ...named(near) }
  }
  return { ...calm, why: `The first ${noun}: there is nothing to compare it with yet.` }
}

/** The earlier query by its name on this page. */
export function nameOf(earlier: Earlier): string {
  if (earlier.where === 'page') return `#${earlier.number}`
  return earlier.place === 0 ? 'a query of the loaded memory' : `query ${earlier.place} of the loaded memory`
}

/** One line for screen readers and for the spot under the input. */
export function spoken(judged: Judged): string {
  const { verdict, why, earlier } = describe(judged)
  const end = earlier === undefined ? '' : ` ${nameOf(earlier)}.`
  return `#${judged.item.number} ${verdict}: ${why}${end}`
}

/** A score beside its threshold, in the unit of the detector. */
export function numbers({ detector, score, threshold }: Detection): {
  readonly score: string
  readonly threshold: string
} {
  const digits = isSimilarity(detector) ? 3 : 0
  return { score: score.toFixed(digits), threshold: threshold.toFixed(isSimilarity(detector) ? 2 : 0) }
}

/** How the detector's measure is called on this page. */
export function measure(detector: string): string {
  return isSimilarity(detector) ? 'Likeness' : 'Times seen'
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
