/**
 * Builds the documentation into `site/dist`: `npm run docs`. What it takes (`site/package.json`) is installed on first use.
 * `node scripts/docs.mjs --install` does only that.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = resolve(import.meta.dirname, '..')
const site = join(root, 'site')
const pages = join(site, 'pages')

install()
if (!process.argv.includes('--install')) {
  await build()
  console.log(`docs: ${join('site', 'dist')} has the pages; any static server shows them, below any path`)
}

/** As the lock file says, unless what is installed came of the same one. */
function install() {
  const lock = readFileSync(join(site, 'package-lock.json'), 'utf8')
  const mark = join(site, 'node_modules/.installed')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], site)
  writeFileSync(mark, lock)
}

async function build() {
  const from = (file) => import(pathToFileURL(join(site, file)).href)
  const [{ assemble }, { finishApi }, { withAnyBase }] = await Promise.all(
    ['assemble.mjs', 'api.mjs', 'anyBase.mjs'].map(from),
  )
  rmSync(pages, { recursive: true, force: true })
  rmSync(join(site, 'dist'), { recursive: true, force: true })
  const first = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'))
  assemble({ root, pages, first: first.map((file) => `docs/${file}`) })
  run(process.execPath, [join(site, 'node_modules/typedoc/bin/typedoc'), '--logLevel', 'Error'], site)
  finishApi(join(pages, 'api'))
  run(process.execPath, [join(site, 'node_modules/vitepress/bin/vitepress.js'), 'build'], site)
  withAnyBase(join(site, 'dist'))
  if (!existsSync(join(root, 'dist/demo'))) run('npm', ['run', 'build:demo'])
  cpSync(join(root, 'dist/demo'), join(site, 'dist/demo'), { recursive: true })
}

function run(command, args, cwd = root) {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
}
