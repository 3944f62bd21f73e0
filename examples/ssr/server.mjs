/**
 * Renders a page on the server whose component imports monitaur, and uses it in the browser alone: see Ask.jsx.
 *
 *     node examples/ssr/server.mjs
 *     curl http://127.0.0.1:8000
 *
 * The form comes with its button disabled, and is there without any script; open it in a browser and the button works. Edit
 * one text again and again, and you are refused. The variable PORT chooses another port.
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createServer as createVite } from 'vite'

const root = import.meta.dirname
const server = createServer()
const vite = await createVite({ root, appType: 'custom', server: { middlewareMode: true, hmr: { server } } })
const page = await readFile(join(root, 'index.html'), 'utf8')

vite.middlewares.use(async (_request, response, next) => {
  try {
    const { render } = await vite.ssrLoadModule('/render.jsx')
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(page.replace('<!--page-->', render()))
  } catch (error) {
    next(error)
  }
})

server.on('request', vite.middlewares)
server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}/`),
)
