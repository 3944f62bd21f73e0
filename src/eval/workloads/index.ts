/** Every honest workload of ours, and those that are equivalent to an attack. */
import { boundaryProbing, counterfactual } from './equivalent/probing.ts'
import { captumKernelShap, kernelShap } from './explainers/kernelShap.ts'
import { lime, limeDefault } from './explainers/lime.ts'
import { captumOcclusion, occlusion } from './explainers/occlusion.ts'
import { rise } from './explainers/rise.ts'
import { confidenceRaising, confidenceSimba } from './optimisers/confidence.ts'
import { editing } from './optimisers/editing.ts'
import { randomWalk } from './optimisers/randomWalk.ts'
import { deblur, denoise, denoiseRandom } from './optimisers/restoration.ts'
import { jpegSweep } from './repeats/jpegSweep.ts'
import { nearDuplicates, noiseCopies } from './repeats/noiseCopies.ts'
import {
  rescoringImages,
  rescoringImagesShuffled,
  rescoringRows,
  rescoringRowsShuffled,
  rescoringTexts,
  rescoringTextsShuffled,
} from './repeats/rescoring.ts'
import { retriesImages, retriesRows, retriesTexts } from './repeats/retries.ts'
import { shuffled, shuffledRows, shuffledTexts } from './repeats/unrelated.ts'
import { video } from './repeats/video.ts'
import { featureSweep, whatIfGrid } from './tabular/sweeps.ts'
import { editRetries } from './text/edits.ts'
import { slotPrompts, templatedPrompts } from './text/templates.ts'

export { asAudit } from './equivalent/audit.ts'

export const WORKLOADS = [
  shuffled,
  lime,
  limeDefault,
  kernelShap,
  captumKernelShap,
  occlusion,
  captumOcclusion,
  rise,
  denoise,
  deblur,
  denoiseRandom,
  confidenceRaising,
  confidenceSimba,
  noiseCopies,
  nearDuplicates,
  jpegSweep,
  video,
  retriesImages,
  rescoringImages,
  rescoringImagesShuffled,
  editing,
  randomWalk,
  boundaryProbing,
  counterfactual,
  shuffledRows,
  featureSweep,
  whatIfGrid,
  retriesRows,
  rescoringRows,
  rescoringRowsShuffled,
  shuffledTexts,
  templatedPrompts,
  slotPrompts,
  editRetries,
  retriesTexts,
  rescoringTexts,
  rescoringTextsShuffled,
] as const
