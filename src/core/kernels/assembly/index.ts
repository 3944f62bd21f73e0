/**
 * The kernels, in AssemblyScript. Everything lies in one memory, and arguments are addresses in it. `twin.ts` beside this
 * folder computes the same bits in plain JavaScript: change both together, and the order of the additions in neither.
 */
export { reaching, scanBytes } from './bytes'
export { sumOfLogs } from './logs'
export { grey, resample } from './pictures'
export { dots, hammingWithin, scan, scanBatch } from './scans'
export { largestWindows, levels } from './windows'
