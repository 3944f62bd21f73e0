/** `npm run test:faults` runs everything at full size, `npm test` a shortened form. */
export const FULL = process.env['MONITAUR_FAULTS'] === 'full'
