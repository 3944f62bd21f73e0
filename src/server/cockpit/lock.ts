/** The form that asks for the operator's token. */
import { byId, setText } from './elements.ts'
import { isToken } from './token.ts'

/** Stands in place of the page until a token was given that fits. */
export class Lock {
  readonly #form = byId<HTMLFormElement>('lock-form')
  readonly #input = byId<HTMLInputElement>('token')

  constructor(onToken: (token: string) => void) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      const token = this.#input.value.trim()
      if (!isToken(token)) return this.close('A token has no spaces and no letters beyond ASCII.')
      this.#input.value = ''
      onToken(token)
    })
  }

  /** Hides the page, and asks, with a reason if something was wrong. */
  close(reason = ''): void {
    byId('lock').hidden = false
    byId('page').hidden = true
    setText(byId('lock-error'), reason)
    this.#input.setAttribute('aria-invalid', String(reason !== ''))
    this.#input.focus()
  }

  open(): void {
    byId('lock').hidden = true
    byId('page').hidden = false
  }
}
