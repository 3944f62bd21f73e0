/** The strip of charts: the rows of the shipped dashboard, each of which can be closed. */
import { button, element } from '../elements.ts'
import { whenNear } from '../nearby.ts'
import { type BoardRow, boardOf } from './course.ts'
import { onScheme } from './palette.ts'
import { type PanelView, panelOf } from './panel.ts'
import type { Samples } from './promql/samples.ts'

export interface Charts {
  readonly root: HTMLElement
  /** Asks all expressions at a time in seconds, and shows what came of them unless it is paused. */
  look(samples: Samples, seconds: number): void
  /** Shows everything anew, as after a change of colours. */
  refresh(): void
  destroy(): void
}

/** Rows that are open at first: what a visitor came for, less of it on a phone. */
const OPEN = /^(?:At a glance|Decisions|Detectors|Scores)/
const OPEN_ON_PHONE = /^(?:At a glance|Decisions)/
/** With reduced motion the charts step on more seldom. */
const CALM_SECONDS = 5

export function createCharts(): Charts {
  const root = element('div', { class: 'op-charts' })
  const visible = new Set<Element>()
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) visible.add(target)
      else visible.delete(target)
    }
    refreshSoon()
  })
  const sizes = new ResizeObserver(() => {
    for (const panel of panels) panel.fit()
  })
  const calm = matchMedia('(prefers-reduced-motion: reduce)')
  const pause = button('Pause', () => setPaused(!isPaused), { 'aria-pressed': 'false', class: 'op-pause' })
  const stopListening = onScheme(refresh)
  const panels: PanelView[] = []
  let isPaused = false
  let shownSeconds = 0
  let isDue = false
  let isNear = false
  /** What is recorded from the first look on; its panels are made once somebody is near. */
  let board: readonly BoardRow[] | undefined
  whenNear(root).then(() => {
    isNear = true
    if (board === undefined || panels.length > 0) return
    build(board)
    refresh()
  })

  return {
    root,
    look(samples, seconds) {
      board ??= boardOf(samples)
      for (const course of board.flatMap(({ courses }) => courses)) course.add({ samples, seconds })
      if (isNear && panels.length === 0) build(board)
      const wait = calm.matches ? CALM_SECONDS : 0
      if (isPaused || seconds < shownSeconds + wait) return
      shownSeconds = seconds
      refresh()
    },
    refresh,
    destroy() {
      seen.disconnect()
      sizes.disconnect()
      stopListening()
    },
  }

  function build(all: readonly BoardRow[]): void {
    const opened = matchMedia('(max-width: 40rem)').matches ? OPEN_ON_PHONE : OPEN
    const rows = all.map(({ title, courses }) => {
      const own = courses.map(panelOf)
      panels.push(...own)
      const [short, long] = title.split(/: (.*)/)
      const details = element(
        'details',
        { class: 'op-row', open: opened.test(title) },
        element('summary', {}, element('h3', {}, short), long === undefined ? null : element('span', {}, long)),
        element('div', { class: 'op-grid' }, ...own.map((panel) => panel.root)),
      )
      details.addEventListener('toggle', refreshSoon)
      return details
    })
    root.replaceChildren(element('div', { class: 'op-bar' }, pause), ...rows)
    for (const panel of panels) seen.observe(panel.root)
    sizes.observe(root)
  }

  function setPaused(now: boolean): void {
    isPaused = now
    pause.setAttribute('aria-pressed', String(now))
    pause.textContent = now ? 'Go on' : 'Pause'
    if (!now) refresh()
  }

  /** Once, for all that asked for it until the next frame. */
  function refreshSoon(): void {
    if (isDue) return
    isDue = true
    requestAnimationFrame(() => {
      isDue = false
      refresh()
    })
  }

  /** Words for all that is open, since not everybody looks; pictures for what can be seen. */
  function refresh(): void {
    if (!root.checkVisibility()) return
    for (const panel of panels) {
      if (!panel.root.checkVisibility()) continue
      const isSeen = visible.has(panel.root)
      panel.update(isSeen)
      if (isSeen) panel.fit()
    }
  }
}
