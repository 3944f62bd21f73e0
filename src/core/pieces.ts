/**
 * Snapshots of large windows, and their restoring, piece by piece: the host goes on with its queries between two pieces, and the snapshot is that of
 * the moment when it was begun.
 *
 *     const { value, buffers, fill } = inPieces(() => detector.snapshot())
 *     while (!fill()) await aTurn()
 *
 * Whoever saves much at once asks {@link fillLater}, also deep inside a monitor of many detectors: so no interface on the way
 * needs to know. What is small is saved at once, and a snapshot outside of {@link inPieces} is whole when it is returned.
 *
 *     const fill = restoreInPieces(() => detector.restore(snapshot))
 *     while (!fill()) await aTurn()
 *
 * Whoever reads much asks {@link readLater}, which ends the restoring, as nothing may be changed before all has been read; when
 * it has been read, the restoring begins anew and is given what was read.
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

/** Something large of a snapshot that is being read. */
export interface Reading {
  /** Reads on by {@link PIECE_BYTES} at most; true when nothing is left to read. */
  fill(): boolean
}

let attempt: { readonly known: readonly Reading[]; next: number; later: Reading | undefined } | undefined

/**
 * Restores by a function of which each call either restores all, or throws and changes nothing, as `restore` of detectors and
 * monitors does; it is called once more for each large window. The snapshot must not be changed meanwhile. The function returned
 * reads the next piece: true when all is restored, false while nothing has changed. It throws what restoring throws.
 */
export function restoreInPieces(restore: () => void): () => boolean {
  const known: Reading[] = []
  let unread: Reading | undefined
  let isRestored = false
  return () => {
    if (isRestored) return true
    if (unread === undefined) {
      unread = tryToRestore(restore, known)
      isRestored = unread === undefined
    } else if (unread.fill()) {
      known.push(unread)
      unread = undefined
    }
    return isRestored
  }
}

/** What is to be read before; undefined if all is restored. */
function tryToRestore(restore: () => void, known: readonly Reading[]): Reading | undefined {
  const before = attempt
  const mine = { known, next: 0, later: undefined as Reading | undefined }
  attempt = mine
  try {
    restore()
    return undefined
  } catch (thrown) {
    if (mine.later === undefined) throw thrown
    return mine.later
  } finally {
    attempt = before
  }
}

/** What has been read, of what `make` begins; undefined if it is to be read at once. Throws if it is to be read first. */
export function readLater<R extends Reading>(make: () => R): R | undefined {
  if (attempt === undefined) return undefined
  const { known, next } = attempt
  if (next < known.length) {
    attempt.next++
    return known[next] as R
  }
  attempt.later = make()
  throw new Error('read in pieces first')
}
