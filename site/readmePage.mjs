/**
 * README.md as a page like those that hosts of repositories and packages show: `node site/readmePage.mjs > page.html`. The page
 * names pictures as the README does; serve it from the root of the repository.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import MarkdownIt from 'markdown-it'

const style = readFileSync(createRequire(import.meta.url).resolve('github-markdown-css/github-markdown.css'), 'utf8')
const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')

/** Their column is about as wide as this. */
const COLUMN = 900

console.log(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>README</title>
<style>
${style}
body { margin: 0 }
.markdown-body { box-sizing: border-box; max-width: ${COLUMN}px; margin: 0 auto; padding: 32px; min-height: 100vh }
@media (prefers-color-scheme: dark) { body { background: #0d1117 } }
</style>
<main class="markdown-body">
${new MarkdownIt({ html: true, linkify: true }).render(readme)}</main>
</html>`)
