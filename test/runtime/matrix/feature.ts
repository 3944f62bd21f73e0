/** The form of a stream that stands outside of any detector. */
export interface FeatureLine {
  /** Lines of one subject share a line of the table. */
  readonly subject: string
  readonly mode: string
  readonly inputs: () => readonly unknown[]
  /** A fresh function, which may remember what it was given. */
  readonly start: () => (input: never) => unknown
}

/** A function that remembers nothing. */
export function feature<In>(
  subject: string,
  mode: string,
  inputs: () => readonly unknown[],
  take: (input: In) => unknown,
): FeatureLine {
  return { subject, mode, inputs, start: () => take }
}
