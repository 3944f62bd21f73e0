/** The operator's token: for this tab, until it is closed. */

const KEY = 'monitaur.token'

/** The token of this tab, if it has one. Browsers that keep nothing have none. */
export function readToken(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined
  } catch {
    return undefined
  }
}

export function keepToken(token: string): void {
  try {
    sessionStorage.setItem(KEY, token)
  } catch {
    // It is asked for again after a reload.
  }
}

export function forgetToken(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing was kept.
  }
}

/** True for what can stand in a header after `Bearer`. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text)
}
