/** Buffers to be filled again. New memory of a size comes page by page from the system, and costs more than filling it. */

/** Kept at a time. */
const MOST = 4
/** A buffer may be so many times as large as what it is taken for. */
const WASTE = 2

export class Spares {
  #buffers: ArrayBuffer[] = []

  /** Of at least so many bytes, all zero. */
  readonly take = (bytes: number): ArrayBuffer => {
    const at = this.#buffers.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= WASTE * bytes)
    return at === -1 ? new ArrayBuffer(bytes) : this.#buffers.splice(at, 1)[0]!
  }

  /**
   * The newest stay: what is asked for now and again is of their size. They are emptied, so that nothing that was forgotten is left in
   * them.
   */
  keep(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) new Uint8Array(buffer).fill(0)
    this.#buffers = [...this.#buffers, ...buffers].slice(-MOST)
  }
}
