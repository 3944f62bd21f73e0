/**
 * Lays out the pages of the site: those of docs/ at its root, and whatever file of the repository they link to, and those
 * link to, at its own place; source files as pages that show them. Links are rewritten to where things lie then.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, posix } from 'node:path'
import { notebookPage } from './notebookPage.mjs'

const PICTURES = ['.png', '.svg', '.jpg', '.webp']
const FENCED = /(^(?:```|~~~)[^\n]*\n[\s\S]*?^(?:```|~~~)$)/m
const LINK = /(\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))/g
/** `<!-- table: bench/results/eval-cifar10.md#Attacks caught in time -->` takes the first table below that heading. */
const TABLE = /<!-- table: ([^#\s]+)#(.+?) -->/g

/** Writes the pages below `pages`; returns the repository's paths of all of them, in the order in which they were met. */
export function assemble({ root, pages, first }) {
  const met = new Set(first)
  for (const file of met) {
    const target = join(pages, placeOf(file))
    mkdirSync(dirname(target), { recursive: true })
    if (PICTURES.includes(extname(file))) cpSync(join(root, file), target)
    else writeFileSync(target, /\.(?:md|ipynb)$/.test(file) ? withLinks(root, file, met) : asPage(root, file))
  }
  return [...met]
}

/** Where a file of the repository lies among the pages. */
export function placeOf(file) {
  const page = file.replace(/^docs\//, '').replace(/(^|\/)README\.md$/, '$1index.md')
  if (file === 'README.md') return 'readme.md'
  return /\.md$/.test(page) || PICTURES.includes(extname(page)) ? page : `${page}.md`
}

function withLinks(root, file, met) {
  const text = markdownOf(root, file).replace(TABLE, (_, from, heading) => tableOf(root, from, heading))
  const parts = text.split(FENCED)
  return parts
    .map((part, i) => (i % 2 === 1 ? part : part.replace(LINK, (...found) => linkOf(root, file, met, found))))
    .join('')
}

function markdownOf(root, file) {
  const text = readFileSync(join(root, file), 'utf8')
  return file.endsWith('.ipynb') ? notebookPage(JSON.parse(text)) : text
}

function linkOf(root, file, met, [, open, path, anchor = '']) {
  const linked = posix.join(posix.dirname(file), path)
  if (!existsSync(join(root, linked))) throw new Error(`${file}: ${path} is linked, and is no file of the repository`)
  const target = statSync(join(root, linked)).isDirectory() ? posix.join(linked, 'README.md') : linked
  if (!existsSync(join(root, target))) throw new Error(`${file}: ${path} is a folder without README.md; link to a file`)
  met.add(target)
  const place = posix.relative(posix.dirname(placeOf(file)), placeOf(target))
  return `${open}${place.startsWith('.') ? place : `./${place}`}${anchor}`
}

/** A source file, shown as it is. */
function asPage(root, file) {
  const text = readFileSync(join(root, file), 'utf8')
  const language = extname(file).slice(1).replace('mjs', 'js')
  return `# ${basename(file)}\n\n\`${file}\` of the repository:\n\n\`\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\`\n`
}

function tableOf(root, file, heading) {
  const [, below] = readFileSync(join(root, file), 'utf8').split(`# ${heading.trim()}\n`)
  const table = /^\|.*(?:\n\|.*)+/m.exec(below ?? '')?.[0]
  if (table === undefined) throw new Error(`${file} has no table below the heading '${heading}'`)
  return table
}
