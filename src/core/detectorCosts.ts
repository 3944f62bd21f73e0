/** Written by `node bench/costs.mjs`, which says what it measures. */

/** What a detector costs at its defaults. */
export interface DetectorCost {
  /** Remembered of one client whose window is full. */
  readonly bytes: number
  /** CPU per query then, without the feature, on the machine of the bench: for comparison only. */
  readonly microseconds: number
}

export const COSTS: Readonly<Record<string, DetectorCost>> = {
  confidence: { bytes: 832, microseconds: 0.4 },
  repetition: { bytes: 8000, microseconds: 0.24 },
  image_repetition: { bytes: 8000, microseconds: 0.26 },
  tabular_repetition: { bytes: 8000, microseconds: 0.27 },
  text_repetition: { bytes: 8000, microseconds: 0.27 },
  similarity: { bytes: 154432, microseconds: 12 },
  image_similarity: { bytes: 154432, microseconds: 12 },
  tabular_similarity: { bytes: 26870, microseconds: 20 },
  text_similarity: { bytes: 154432, microseconds: 12 },
  descent_lineage: { bytes: 35136, microseconds: 43 },
  content_fingerprint: { bytes: 71664, microseconds: 4.6 },
  neighbour_distance: { bytes: 35312, microseconds: 82 },
  coverage: { bytes: 8464, microseconds: 0.41 },
  query_rate: { bytes: 1232, microseconds: 0.65 },
  prada: { bytes: 63840, microseconds: 31 },
  margin_trend: { bytes: 75664, microseconds: 5 },
  hardness_histogram: { bytes: 872, microseconds: 1 },
  distribution_shift: { bytes: 2144, microseconds: 42 },
  provenance: { bytes: 288032, microseconds: 21 },
  extraction_status: { bytes: 48624, microseconds: 29 },
  update_geometry: { bytes: 25220, microseconds: 19 },
  answer_following: { bytes: 78736, microseconds: 97 },
}
