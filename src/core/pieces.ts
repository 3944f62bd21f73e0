/**
 * Snapshots of large windows, piece by piece: the host goes on with its queries between two pieces, and the snapshot is that of
 * the moment when it was begun.
 *
 *     const { value, buffers, fill } = inPieces(() => detector.snapshot())
 *     while (!fill()) await aTurn()
 *
 * Whoever saves much at once asks {@link fillLater}, also deep inside a monitor of many detectors: so no interface on the way
 * needs to know. What is small is saved at once, and a snapshot outside of {@link inPieces} is whole when it is returned.
 */

/** A large array of a snapshot that is being filled. */
export interface Piece {
  readonly buffer: ArrayBuffer
  /** Fills on by {@link PIECE_BYTES} at most; true when it is whole. Then it costs nothing. */
  fill(): boolean
}

/** Some milliseconds of copying. */
export const PIECE_BYTES = 4 << 20

export interface InPieces<T> {
  /** Not to be looked at before it is whole. */
  readonly value: T
  /** Its large buffers: nobody else has them, so they can be moved to another thread. */
  readonly buffers: readonly ArrayBuffer[]
  /** Copies the next piece; true when the value is whole. */
  readonly fill: () => boolean
}

let collecting: Piece[] | undefined

/** Runs `save`, which is synchronous, and leaves the copying of what is large to `fill`. */
export function inPieces<T>(save: () => T): InPieces<T> {
  const before = collecting
  const pieces: Piece[] = []
  collecting = pieces
  try {
    const value = save()
    let at = 0
    const fill = () => {
      if (at < pieces.length && pieces[at]!.fill()) at++
      return at === pieces.length
    }
    return { value, buffers: pieces.map(({ buffer }) => buffer), fill }
  } finally {
    collecting = before
  }
}

/** True if somebody will fill the piece; otherwise it is to be filled at once. */
export function fillLater(piece: Piece): boolean {
  collecting?.push(piece)
  return collecting !== undefined
}
