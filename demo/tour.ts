/** Eleven queries in a row that show the point, for who wants to watch first. */
import { byId } from './elements.ts'
import { nudged, rowQuery, type Send, textQuery } from './inputs.ts'
import { changedFile, pictureQuery } from './pictureInput.ts'
import { CHANGES, PICTURES, paintSample, toFile } from './samples/pictures.ts'
import { ROWS, SENTENCES } from './samples/words.ts'

/** Long enough to read a verdict word, short enough to stay for the end. */
const STEP_MS = 550

export function setUpTour(send: Send, onError: (thrown: unknown) => void): void {
  const start = byId<HTMLButtonElement>('tour')
  let stop: AbortController | undefined
  start.addEventListener('click', () => {
    if (stop !== undefined) return stop.abort()
    const control = new AbortController()
    stop = control
    start.textContent = 'Stop'
    run(send, control.signal)
      .catch(onError)
      .finally(() => {
        stop = undefined
        start.textContent = 'Show me'
      })
  })
}

async function run(send: Send, signal: AbortSignal): Promise<void> {
  for (const make of await queries()) {
    if (signal.aborted) return
    send(await make())
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
}

async function queries(): Promise<(() => ReturnType<typeof pictureQuery>)[]> {
  const [harbour, mountains] = await Promise.all(PICTURES.slice(0, 2).map(({ paint }) => toFile(paintSample(paint))))
  const text = (i: number) => async () => textQuery(SENTENCES[i]!.text)
  const row = (i: number) => async () => rowQuery(ROWS[i]!.row)
  const changed = (i: number) => async () => pictureQuery(await changedFile(harbour!, CHANGES[i]!.change))
  return [
    text(0),
    text(3),
    text(1),
    () => pictureQuery(harbour!),
    () => pictureQuery(mountains!),
    changed(0),
    changed(1),
    row(0),
    row(1),
    async () => rowQuery(nudged(ROWS[0]!.row, 0)),
    text(0),
  ]
}
