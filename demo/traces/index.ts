/** `<traces-explorer>`, ready to be put into a page. */
import './traces.css'
import { TracesExplorer } from './explorer.ts'
import { readTraces, type TraceFile, type Traces } from './traces.ts'

export { type Traces, TracesExplorer }

/** Makes the element known to the page; does nothing the second time. */
export function defineTracesExplorer(): void {
  if (customElements.get('traces-explorer') === undefined) customElements.define('traces-explorer', TracesExplorer)
}

/** The recorded traces, loaded as a part of the page's own code: nothing is fetched. */
export async function loadTraces(): Promise<Traces> {
  const { default: file } = await import('./recorded.json')
  return readTraces(file as unknown as TraceFile)
}

declare global {
  interface HTMLElementTagNameMap {
    'traces-explorer': TracesExplorer
  }
}
