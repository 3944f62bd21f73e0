/** Just enough of Markdown to check it: prose, headings with their anchors, links. */
import { execFileSync } from 'node:child_process'

export interface Heading {
  readonly level: number
  readonly text: string
}

export interface Link {
  readonly target: string
  readonly anchor: string
  readonly line: number
}

/** All Markdown files of the repository, those that are not yet committed included. */
export function markdownFiles(root: string): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md']
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim().split('\n').sort()
}

/** Without its blocks, fenced or indented; lines stay where they were. */
export function proseOf(markdown: string): string {
  const blank = (block: string) => block.replace(/[^\n]/g, '')
  return markdown.replace(/^(```+|~~~+)[^\n]*\n[\s\S]*?^\1$/gm, blank).replace(/(?<=\n\n)(?: {4}.*\n)+/g, blank)
}

/** What a reader reads: prose without code, addresses, comments and markup; lines stay where they were. */
export function wordsOf(markdown: string): string {
  const blank = (part: string) => part.replace(/[^\n]/g, ' ')
  return proseOf(markdown)
    .replace(/^---\n[\s\S]*?\n---$/m, blank)
    .replace(/<!--[\s\S]*?-->|<[^>\n]+>|`[^`\n]*`|`[^`]*`/g, blank)
    .replace(/\]\([^)\s]*\)|https?:\/\/\S+/g, blank)
}

export function headingsOf(markdown: string): Heading[] {
  return [...proseOf(markdown).matchAll(/^(#{1,6}) (.*)$/gm)].map(([, marks, text]) => {
    return { level: marks!.length, text: text! }
  })
}

/** As repository pages make them: lower case, no punctuation, a dash for each blank, numbered where they repeat. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>()
  return headingsOf(markdown).map(({ text }) => {
    const plain = text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    return times === 0 ? anchor : `${anchor}-${times}`
  })
}

export function linksOf(markdown: string): Link[] {
  const prose = proseOf(markdown).replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length))
  return [...prose.matchAll(/\]\(([^)\s#]*)(?:#([^)\s]*))?\)/g)].map((match) => {
    return { target: match[1]!, anchor: match[2] ?? '', line: prose.slice(0, match.index).split('\n').length }
  })
}
