/** Thieves of models, of pictures and of rows. */
import { activeThief } from './activeThief.ts'
import { jbda } from './jbda.ts'
import { knockoffRandom } from './knockoff.ts'
import { noiseExtraction } from './noise.ts'

export const EXTRACTIONS = [
  noiseExtraction('image', 'noise_extraction'),
  knockoffRandom('image', 'knockoff_random'),
  jbda({ kind: 'image', name: 'jbda', units: 0 }),
  jbda({ kind: 'image', name: 'jbda_relu', units: 64 }),
  jbda({ kind: 'image', name: 'jbrand', units: 64, isRandom: true }),
  activeThief('image', 'active_thief'),
  noiseExtraction('tabular', 'tabular_noise_extraction'),
  knockoffRandom('tabular', 'tabular_knockoff_random'),
  jbda({ kind: 'tabular', name: 'tabular_jbda', units: 0 }),
  jbda({ kind: 'tabular', name: 'tabular_jbda_relu', units: 64 }),
  jbda({ kind: 'tabular', name: 'tabular_jbrand', units: 64, isRandom: true }),
  activeThief('tabular', 'tabular_active_thief'),
] as const
