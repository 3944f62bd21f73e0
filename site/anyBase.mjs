/**
 * Makes a built site work below any path. It is built for the path `BASE`, which no site has; here pages get relative
 * addresses instead, and scripts the path that the page's own address tells.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { parseAst } from 'vite'

export const BASE = '/any-base-path/'
const VARIABLE = 'globalThis.__base'

export function withAnyBase(folder) {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const change = { '.html': inPage, '.js': inScript, '.css': inStyle }[extname(file)]
    const path = join(folder, file)
    const text = change === undefined ? '' : readFileSync(path, 'utf8')
    if (text.includes(BASE)) writeFileSync(path, change(text, file))
  }
}

/** Inline scripts hold JSON in double quotes; everything else is an attribute. */
function inPage(text, file) {
  const up = '../'.repeat(file.split(/[\\/]/).length - 1) || './'
  const parts = text.split(/(<script(?![^>]*\bsrc=)[^>]*>[\s\S]*?<\/script>)/)
  const pages = parts.map((part, i) => part.replaceAll(BASE, i % 2 === 1 ? `"+${VARIABLE}+"` : up))
  return pages.join('').replace('<head>', `<head><script>${VARIABLE}=new URL("${up}",location.href).pathname</script>`)
}

function inStyle(text) {
  return text.replaceAll(`${BASE}assets/`, './')
}

function inScript(text) {
  const edits = []
  walk(parseAst(text), ({ type, start, end, value }) => {
    if (type === 'Literal' && typeof value === 'string' && value.includes(BASE)) {
      edits.push({ start, end, text: `(${JSON.stringify(value).replaceAll(BASE, `"+${VARIABLE}+"`)})` })
    }
    if (type === 'TemplateElement' && value.raw.includes(BASE)) {
      edits.push({ start, end, text: value.raw.replaceAll(BASE, `\${${VARIABLE}}`) })
    }
  })
  edits.sort((a, b) => b.start - a.start)
  return edits.reduce((done, { start, end, text: by }) => done.slice(0, start) + by + done.slice(end), text)
}

function walk(node, visit) {
  if (typeof node?.type === 'string') visit(node)
  for (const value of Object.values(node ?? {})) {
    if (typeof value === 'object' && value !== null) walk(value, visit)
  }
}
