/** Written by `node bench/costs.mjs`, which says what it measures. */

/** What a detector costs at its defaults. */
export interface DetectorCost {
  /** Remembered of one client whose window is full. */
  readonly bytes: number
  /** CPU per query then, without the feature, on the machine of the bench: for comparison only. */
  readonly microseconds: number
}

export const COSTS: Readonly<Record<string, DetectorCost>> = {
  confidence: { bytes: 832, microseconds: 0.26 },
  repetition: { bytes: 8000, microseconds: 0.17 },
  image_repetition: { bytes: 8000, microseconds: 0.2 },
  tabular_repetition: { bytes: 8000, microseconds: 0.2 },
  text_repetition: { bytes: 8000, microseconds: 0.2 },
  similarity: { bytes: 154432, microseconds: 25 },
  image_similarity: { bytes: 154432, microseconds: 24 },
  tabular_similarity: { bytes: 26870, microseconds: 17 },
  text_similarity: { bytes: 154432, microseconds: 25 },
  descent_lineage: { bytes: 35136, microseconds: 44 },
  content_fingerprint: { bytes: 71664, microseconds: 4.1 },
  neighbour_distance: { bytes: 35312, microseconds: 62 },
  coverage: { bytes: 8464, microseconds: 0.3 },
  query_rate: { bytes: 1232, microseconds: 0.58 },
  prada: { bytes: 63840, microseconds: 31 },
  margin_trend: { bytes: 75664, microseconds: 4.2 },
  hardness_histogram: { bytes: 872, microseconds: 0.94 },
  distribution_shift: { bytes: 2144, microseconds: 39 },
  provenance: { bytes: 288032, microseconds: 15 },
  extraction_status: { bytes: 54672, microseconds: 28 },
  update_geometry: { bytes: 25220, microseconds: 16 },
}
