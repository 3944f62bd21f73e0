/** Reads an expression of PromQL: as much of the language as our panels speak. Throws for anything else. */
import { type Token, tokensOf } from './tokens.ts'

export interface Matcher {
  readonly label: string
  readonly fits: (value: string) => boolean
}

export interface Selector {
  readonly kind: 'selector'
  /** '' where `__name__` is among the matchers. */
  readonly metric: string
  readonly matchers: readonly Matcher[]
  /** Of a range selector. */
  readonly rangeSeconds?: number
}

export type Arithmetic = '+' | '-' | '*' | '/'
export type Comparison = '>' | '<' | '>=' | '<=' | '==' | '!='
export type Aggregation = 'sum' | 'max' | 'min' | 'group'

export type Expression =
  | Selector
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | {
      readonly kind: 'aggregate'
      readonly by: readonly string[]
      readonly operator: Aggregation
      readonly of: Expression
    }
  | {
      readonly kind: 'arithmetic'
      readonly operator: Arithmetic
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'filter'; readonly operator: Comparison; readonly left: Expression; readonly right: Expression }
  /** What of `right` has labels that `left` has not; by all of them, or by those of `on`. */
  | { readonly kind: 'or'; readonly left: Expression; readonly right: Expression; readonly on?: readonly string[] }

const AGGREGATIONS: readonly string[] = ['sum', 'max', 'min', 'group'] satisfies Aggregation[]
const COMPARISONS: readonly string[] = ['>', '<', '>=', '<=', '==', '!='] satisfies Comparison[]
const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 }

/** The tree of an expression whose variables are filled in. */
export function parse(text: string): Expression {
  const tokens = tokensOf(text)
  let at = 0
  const parsed = alternatives()
  if (at < tokens.length) fail('the end')
  return parsed

  function fail(expected: string): never {
    const came = tokens[at]?.text ?? 'the end'
    throw new SyntaxError(`expected ${expected}, came '${came}' at ${tokens[at]?.at ?? text.length} in ${text}`)
  }

  function peek(kind: Token['kind'], ...texts: readonly string[]): boolean {
    const token = tokens[at]
    return token?.kind === kind && (texts.length === 0 || texts.includes(token.text))
  }

  function skip(kind: Token['kind'], ...texts: readonly string[]): string | undefined {
    return peek(kind, ...texts) ? tokens[at++]!.text : undefined
  }

  function take(kind: Token['kind'], ...texts: readonly string[]): string {
    return skip(kind, ...texts) ?? fail(texts.length === 0 ? `a ${kind}` : texts.join(' or '))
  }

  function alternatives(): Expression {
    let left = comparison()
    while (skip('word', 'or') !== undefined) {
      const on = skip('word', 'on') === undefined ? undefined : labels()
      const right = comparison()
      left = { kind: 'or', left, right, ...(on !== undefined && { on }) }
    }
    return left
  }

  function comparison(): Expression {
    let left = sum()
    for (;;) {
      const operator = skip('sign', ...COMPARISONS) as Comparison | undefined
      if (operator === undefined) return left
      left = { kind: 'filter', operator, left, right: sum() }
    }
  }

  function sum(): Expression {
    return chain(product, '+', '-')
  }

  function product(): Expression {
    return chain(primary, '*', '/')
  }

  function chain(next: () => Expression, ...operators: readonly Arithmetic[]): Expression {
    let left = next()
    for (;;) {
      const operator = skip('sign', ...operators) as Arithmetic | undefined
      if (operator === undefined) return left
      left = { kind: 'arithmetic', operator, left, right: next() }
    }
  }

  function primary(): Expression {
    if (peek('number')) return { kind: 'number', value: Number(take('number')) }
    if (peek('string')) return { kind: 'string', value: take('string') }
    if (skip('sign', '(') !== undefined) {
      const inner = alternatives()
      take('sign', ')')
      return inner
    }
    if (peek('sign', '{')) return selector('')
    const name = take('word')
    if (AGGREGATIONS.includes(name) && (peek('sign', '(') || peek('word', 'by'))) return aggregate(name as Aggregation)
    return peek('sign', '(') ? call(name) : selector(name)
  }

  function aggregate(operator: Aggregation): Expression {
    const by = skip('word', 'by') === undefined ? [] : labels()
    take('sign', '(')
    const of = alternatives()
    take('sign', ')')
    return { kind: 'aggregate', operator, by, of }
  }

  function call(name: string): Expression {
    return { kind: 'call', name, args: list(alternatives) }
  }

  function labels(): string[] {
    return list(() => take('word'))
  }

  function list<T>(item: () => T): T[] {
    const items: T[] = []
    take('sign', '(')
    while (skip('sign', ')') === undefined) {
      if (items.length > 0) take('sign', ',')
      items.push(item())
    }
    return items
  }

  function selector(metric: string): Selector {
    const matchers: Matcher[] = []
    if (skip('sign', '{') !== undefined) {
      while (skip('sign', '}') === undefined) {
        if (matchers.length > 0) take('sign', ',')
        matchers.push(matcher())
      }
    }
    if (skip('sign', '[') === undefined) return { kind: 'selector', metric, matchers }
    const duration = take('duration')
    take('sign', ']')
    const [, count, unit] = /^(\d+)([a-z]+)$/.exec(duration)!
    return { kind: 'selector', metric, matchers, rangeSeconds: Number(count) * UNITS[unit!]! }
  }

  function matcher(): Matcher {
    const label = take('word')
    const operator = take('sign', '=', '!=', '=~', '!~')
    const wanted = take('string')
    const isEqual = operator.endsWith('~')
      ? (
          (whole) => (value: string) =>
            whole.test(value)
        )(new RegExp(`^(?:${wanted})$`))
      : (value: string) => value === wanted
    return { label, fits: operator.startsWith('!') ? (value) => !isEqual(value) : isEqual }
  }
}
