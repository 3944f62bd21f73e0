/** The largest window a detector takes: beyond it a mistyped number would eat the machine's memory. */
export const MAX_HISTORY = 10_000_000
