/** Techniques of attackers as MITRE ATLAS names them (https://atlas.mitre.org), version 5.6.0 of its data. */

export interface Technique {
  /** Such as `AML.T0043`. */
  readonly id: string
  readonly name: string
}

export const CRAFT_ADVERSARIAL_DATA: Technique = { id: 'AML.T0043', name: 'Craft Adversarial Data' }
export const BLACK_BOX_OPTIMIZATION: Technique = { id: 'AML.T0043.001', name: 'Black-Box Optimization' }
export const EVADE_MODEL: Technique = { id: 'AML.T0015', name: 'Evade AI Model' }
export const EXFILTRATION: Technique = { id: 'AML.T0024', name: 'Exfiltration via AI Inference API' }
export const EXTRACT_MODEL: Technique = { id: 'AML.T0024.002', name: 'Extract AI Model' }
export const MODEL_ACCESS: Technique = { id: 'AML.T0040', name: 'AI Model Inference API Access' }
export const DENIAL_OF_SERVICE: Technique = { id: 'AML.T0029', name: 'Denial of AI Service' }
export const COST_HARVESTING: Technique = { id: 'AML.T0034', name: 'Cost Harvesting' }
