/** What similarity says in workerd: `/plain` before and `/compiled` after the kernels have been handed over. */
import kernels from 'kernels.wasm'
import { createDetector, installKernels } from '../../src/core/index.ts'
import { kernelModule } from '../../src/core/kernels/wasm.ts'
import { random } from '../tools/random.ts'

export default {
  fetch(request: Request): Response {
    if (request.url.endsWith('/compiled')) installKernels(kernels)
    return Response.json({ isCompiled: kernelModule() !== null, verdicts: verdicts() })
  },
}

/** Of a window that is small at first, and then large enough for a memory of the kernels. */
function verdicts(): unknown[] {
  const next = random(20261130)
  const detector = createDetector('similarity', { maxHistorySize: 120 })
  return Array.from({ length: 200 }, () => {
    const embedding = Float32Array.from({ length: 800 }, () => next() - 0.5)
    return detector.process({ embedding })
  })
}
