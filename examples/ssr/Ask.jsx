'use client'
/**
 * A component that the server renders and the browser brings to life, as in Next.js (there the hooks come from 'react').
 * It imports monitaur like anything else: an import does nothing and asks for no `window`. The monitor is made in an effect,
 * so only in the browser.
 */
import { useEffect, useState } from 'hono/jsx'
import { createMonitor, monitorModel } from 'monitaur'
import { classify } from '../model.mjs'

export function Ask() {
  const [ask, setAsk] = useState()
  const [lines, setLines] = useState([])

  useEffect(() => {
    const monitor = createMonitor({
      detectors: ['text_similarity', { name: 'confidence', mode: 'margin', threshold: 0.9 }],
      policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
    })
    setAsk(() => watch(monitor))
    return () => monitor.dispose()
  }, [])

  async function submit(event) {
    event.preventDefault()
    const { text } = event.target.elements
    const line = await ask(text.value).then(
      ({ label }) => label,
      ({ code, message }) => code ?? message,
    )
    setLines((before) => [...before, line])
  }

  return (
    <form onSubmit={submit}>
      <input name="text" aria-label="Text" required autocomplete="off" />
      <button type="submit" disabled={ask === undefined}>
        Ask
      </button>
      <ol>
        {lines.map((line) => (
          <li>{line}</li>
        ))}
      </ol>
    </form>
  )
}

function watch(monitor) {
  return monitorModel(async (text) => classify(text), monitor, {
    client: 'this tab',
    toQuery: ([text], { scores }) => ({ input: text, modelOutput: scores }),
  })
}
