/** Makes the pages that TypeDoc wrote fit the site: named by what users import, with anchors as the site makes them. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export function finishApi(folder) {
  rmSync(join(folder, 'overview.md')) // a list of the doors, which the table of contents is
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  )) {
    const path = join(folder, file)
    const text = readFileSync(path, 'utf8').replace(/^# .*$/m, `# ${doorOf(file)}`)
    writeFileSync(path, withAnchors(text))
  }
}

function doorOf(file) {
  return file === 'index.md' ? 'monitaur' : `monitaur/${file.replace(/\.md$/, '')}`
}

/** TypeDoc numbers names that are alike but for their case even where the site has one heading only. */
function withAnchors(text) {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, name]) => name.toLowerCase().replace(/[^\w-]/g, ''))
  const count = (name) => headings.filter((heading) => heading === name).length
  return text.replace(/\]\(#([\w-]+?)-(\d+)\)/g, (link, name, n) => (count(name) > Number(n) ? link : `](#${name})`))
}
