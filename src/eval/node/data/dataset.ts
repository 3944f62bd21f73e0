/** Labelled inputs to evaluate on. */
import type { InputOf, Kind, Labelled, Picture, Shape } from '../../types.ts'

export interface Dataset<K extends Kind = Kind> {
  readonly name: string
  readonly kind: K
  readonly shape: Shape
  /** SHA-256, hex, of what it was made from and how. */
  readonly hash: string
  readonly items: readonly Labelled<InputOf[K]>[]
}

/** The shape of what is no picture. */
export const NO_SHAPE: Shape = { width: 1, height: 1, channels: 1 }

/** A picture kept as bytes, an eighth of its numbers, which are made when asked for. */
export class StoredPicture implements Labelled<Picture> {
  readonly label: number
  readonly #bytes: Uint8Array

  /** Bytes row by row, channels interleaved. */
  constructor(bytes: Uint8Array, label: number) {
    this.#bytes = bytes
    this.label = label
  }

  get input(): Picture {
    const bytes = this.#bytes
    const picture = new Float64Array(bytes.length)
    for (let i = 0; i < bytes.length; i++) picture[i] = bytes[i]! / 255
    return picture
  }
}
