/** The line of measured facts, and the browser's own list of what this page has loaded. */
import { byId, element } from './elements.ts'
import type { Session } from './session.ts'

/** Keeps the line current. Gives what to call after each change. */
export function setUpFacts(session: Session): () => void {
  const requests = new Set<string>()
  let fetched = 0
  new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) {
      if (!name.startsWith('http')) continue
      requests.add(name)
      fetched++
    }
    show()
  }).observe({ type: 'resource', buffered: true })
  show()
  return show

  function show(): void {
    const times = session.judged.filter(({ outcome }) => outcome.state === 'verdict').map(({ ms }) => ms)
    const strangers = [...requests].filter((name) => !isPart(name))
    byId('facts').replaceChildren(
      fact('In a Web Worker', 'place'),
      fact(`${session.judged.length} ${session.judged.length === 1 ? 'query' : 'queries'}`, 'queries'),
      fact(times.length === 0 ? 'median – ms per query' : `median ${median(times).toFixed(1)} ms per query`, 'median'),
      fact(strangers.length === 0 ? '0 bytes sent' : `${strangers.length} unexpected requests`, 'sent'),
      fact(`${session.restarts} worker ${session.restarts === 1 ? 'restart' : 'restarts'}`, 'restarts'),
    )
    const model = modelWords(session)
    const what = strangers.length === 0 ? 'all of them files of this page' : `among them ${strangers.join(', ')}`
    byId('ledger').textContent =
      `By the browser's own record: ${fetched} requests for ${requests.size} files, ${what}. A restarted worker loads its ` +
      "script again. The page's content security policy (connect-src 'none', form-action 'none') forbids it to send anything." +
      model
  }
}

/** What the worker has loaded because the visitor wanted it; the browser does not tell the page of it. */
function modelWords({ reader }: Session): string {
  if (reader === undefined) return ''
  const host = new URL(String(reader['host'] ?? reader['localPath'])).host
  return ` At your request a worker has loaded the model ${String(reader['model'])} from ${host}; no query is part of that.`
}

function fact(text: string, name: string): HTMLElement {
  return element('span', { 'data-testid': `fact-${name}` }, text)
}

/** What the browser has asked for that is no file of this page: nothing, or the badge says so. */
export function strangers(): string[] {
  const names = performance.getEntriesByType('resource').map(({ name }) => name)
  return names.filter((name) => name.startsWith('http') && !isPart(name))
}

/** A file in the page's own folder, asked for without parameters that could carry something away; `?model` is a word of ours. */
function isPart(name: string): boolean {
  const { href, search } = new URL(name)
  return (search === '' || search === '?model') && href.startsWith(new URL('.', location.href).href)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
