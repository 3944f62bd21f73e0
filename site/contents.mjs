/** The table of contents: what stands in it, in which order. A page of docs/ that is missing here fails the build. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const GROUPS = {
  Start: [
    'index',
    'install',
    'start-browser',
    'start-onnx',
    'start-cloudflare',
    'start-deno',
    'start-node',
    'start-operator',
    'start-research',
    'library',
    'demo',
    'first-hour',
  ],
  Guides: ['choose', 'limits', 'calibration', 'threat-model', 'migrate', 'extend', 'performance'],
  Reference: [
    'detectors',
    'server',
    'middleware',
    'edge',
    'embeddings',
    'journal',
    'replicas',
    'evaluation',
    'departures',
    'decisions',
  ],
}

export function sidebar({ docs, pages }) {
  const named = Object.values(GROUPS).flat()
  const present = readdirSync(docs).flatMap((file) => (file.endsWith('.md') ? [file.replace('.md', '')] : []))
  const missing = present.filter((name) => !named.includes(name))
  if (missing.length > 0)
    throw new Error(`site/contents.mjs has no place for ${missing.join(', ')}; add each to a group`)
  const gone = named.filter((name) => !present.includes(name))
  if (gone.length > 0) throw new Error(`site/contents.mjs names ${gone.join(', ')}, and docs/ has no such page`)
  const groups = Object.entries(GROUPS).map(([text, names]) => {
    const items = names.map((name) => ({ text: titleOf(join(pages, `${name}.md`)), link: `/${name}` }))
    return { text, items }
  })
  return [...groups, { text: 'API', items: doors(pages) }]
}

/** The heading of a page; a start is told by what it starts with. */
function titleOf(file) {
  const [, heading = ''] = existsSync(file) ? (/^# (.*)$/m.exec(readFileSync(file, 'utf8')) ?? []) : []
  const title = heading.replaceAll('`', '').replace(/^Start: /, '')
  return heading === title ? title : title[0].toUpperCase() + title.slice(1)
}

function doors(pages) {
  const files = readdirSync(join(pages, 'api'), { recursive: true, encoding: 'utf8' }).sort()
  return files
    .filter((file) => file.endsWith('.md'))
    .map((file) => ({ text: titleOf(join(pages, 'api', file)), link: `/api/${file.replace('.md', '')}` }))
}
