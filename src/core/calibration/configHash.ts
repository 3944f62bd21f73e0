import { sha256HexOfText } from '../hash.ts'
import { stableJson } from './stableJson.ts'

/**
 * SHA-256 of the options that a detector's scores depend on: all but the threshold, unless that one changes what is
 * remembered.
 */
export function configHashOf(
  detector: string,
  options: Readonly<Record<string, unknown>>,
  { thresholdChangesScores = false }: { readonly thresholdChangesScores?: boolean } = {},
): string {
  const { threshold, ...rest } = options
  return sha256HexOfText(stableJson({ detector, ...(thresholdChangesScores ? options : rest) }))
}
