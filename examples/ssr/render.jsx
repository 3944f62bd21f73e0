import { renderToString } from 'hono/jsx/dom/server'
import { Ask } from './Ask.jsx'

/** What the server sends. */
export function render() {
  return renderToString(<Ask />)
}
