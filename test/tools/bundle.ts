/** Source as one module, for runtimes that are not this one. */
import { rolldown } from 'rolldown'

/** Packages that are imported on first use, if they are there. */
export const OPTIONAL = ['sharp', '@huggingface/transformers', /^onnxruntime-/]
/** What bundlers for browsers and workers look for. */
const NEUTRAL = { mainFields: ['module', 'main'], conditionNames: ['import', 'default'] }

/** Bundles a TypeScript file and all it imports into one ES module; what is `external` stays an import. */
export async function bundleFile(
  input: string,
  file: string,
  external: readonly (string | RegExp)[] = OPTIONAL,
  platform: 'neutral' | 'node' = 'neutral',
): Promise<void> {
  const bundle = await rolldown({
    input,
    platform,
    ...(platform === 'node' ? {} : { resolve: NEUTRAL }),
    external: [/^(?:node|cloudflare):/, ...external],
    logLevel: 'silent',
  })
  await bundle.write({ file, format: 'esm', codeSplitting: false })
  await bundle.close()
}
