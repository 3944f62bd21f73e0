/** What the page watches, and how strictly. */
import type { EmbedderDescription, MonitorConfig } from '../src/embed/index.ts'

/** The three kinds of query that the page takes. */
export type Kind = 'text' | 'image' | 'tabular'

/** What the sliders set. */
export interface Settings {
  /** Cosine to the nearest earlier query from which one is suspicious, for each kind. */
  readonly text: number
  readonly image: number
  readonly tabular: number
  /** Occurrences from which a query is suspicious, itself included. */
  readonly repeats: number
  /** Bits of 64 in which two picture hashes may differ and still count as the same picture. */
  readonly radius: number
}

/** The library counts to 5 before it speaks; here the second one is enough, so that a visitor sees it at once. */
export const DEFAULTS: Settings = { text: 0.9, image: 0.9, tabular: 0.9, repeats: 2, radius: 6 }

/** Everything on this page is asked by one client. */
export const CLIENT = 'visitor'

export const KINDS: readonly Kind[] = ['text', 'image', 'tabular']

/** How the page calls one query of a kind. */
export const NOUN: Readonly<Record<Kind, string>> = { text: 'text', image: 'picture', tabular: 'row' }

/**
 * The six detectors in one monitor: each looks at its own kind of query and skips the others. With `reader`, texts are
 * compared by that model, without by their wording.
 */
export function monitorConfig(settings: Settings, reader?: EmbedderDescription): MonitorConfig {
  const threshold = settings.repeats
  return {
    detectors: KINDS.flatMap((kind) => [
      { name: `${kind}_similarity`, threshold: settings[kind], ...(kind === 'text' && reader && { embedder: reader }) },
      { name: `${kind}_repetition`, threshold, ...(kind === 'image' ? { radius: settings.radius } : {}) },
    ]),
  }
}

export function isSimilarity(detector: string): boolean {
  return detector.endsWith('_similarity')
}
