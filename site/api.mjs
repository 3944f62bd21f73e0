/** Names the pages that TypeDoc wrote by what users import, and makes them fit to be read by a Markdown renderer with components. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Returns the doors with their pages: `[{ door: 'monitaur/core', page: 'api/core' }, …]`. */
export function nameDoors(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.md$/.test(file))
  for (const file of files) {
    const path = join(folder, file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, file === 'README.md' ? text : text.replace(/^# .*$/m, `# ${doorOf(file)}`))
  }
  return files
    .filter((file) => file !== 'README.md')
    .map((file) => ({ door: doorOf(file), page: `api/${relative('.', file).replace(/\.md$/, '')}` }))
    .sort((a, b) => (a.door < b.door ? -1 : 1))
}

function doorOf(file) {
  const name = file.replace(/\.md$/, '')
  return name === 'index' ? 'monitaur' : `monitaur/${name}`
}
