/** The words and signs of an expression. */
export interface Token {
  readonly kind: 'word' | 'number' | 'duration' | 'string' | 'sign'
  /** Of a string: what it says. */
  readonly text: string
  /** Where it begins. */
  readonly at: number
}

const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['duration', /\d+(?:ms|[smhd])(?![\w.])/y],
  ['number', /\d+(?:\.\d+)?(?:e[+-]?\d+)?/y],
  ['word', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['string', /"(?:[^"\\]|\\.)*"/y],
  ['sign', /=~|!~|!=|==|>=|<=|[-+*/(){}[\],=<>]/y],
]

/** Throws a `SyntaxError` with the place of what is none. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text[at]!)) {
      at++
      continue
    }
    const token = tokenAt(text, at)
    if (token === undefined) throw new SyntaxError(`cannot be read at ${at}: ${text}`)
    tokens.push(token.said)
    at = token.end
  }
  return tokens
}

function tokenAt(text: string, at: number): { readonly said: Token; readonly end: number } | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found === undefined) continue
    const said = kind === 'string' ? (JSON.parse(found) as string) : found
    return { said: { kind, text: said, at }, end: at + found.length }
  }
  return undefined
}
