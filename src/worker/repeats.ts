/** Calls that go one by one, each when the one before is settled: those that are sent to another worker once more. */
export class Repeats {
  #last: Promise<void> | undefined

  /** Settles when the last of them is; `undefined` while there are none. */
  get end(): Promise<void> | undefined {
    return this.#last
  }

  run<T>(send: () => Promise<T>): Promise<T> {
    const again = Promise.resolve(this.#last).then(send)
    const done = again
      .catch(() => {}) // told to the one who called
      .then(() => {
        if (this.#last === done) this.#last = undefined
      })
    this.#last = done
    return again
  }
}
