/** The fenced blocks of a Markdown page. */

export interface Block {
  readonly language: string
  /** What stands behind the language: `server`, `page`, a file's name in brackets. */
  readonly words: readonly string[]
  /** The file that the reader is to write: of `[main.mjs]`. */
  readonly file?: string
  readonly code: string
  /** Of the fence, from 1. */
  readonly line: number
}

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\S+)(.*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language, info, code] = match
    const words = info!.trim().split(/\s+/).filter(Boolean)
    const file = words.map((word) => /^\[(.+)\]$/.exec(word)?.[1]).find((name) => name !== undefined)
    const line = markdown.slice(0, match.index).split('\n').length
    return { language: language!, words, ...(file !== undefined && { file }), code: code!, line }
  })
}
