/** A device of our own for each session: the one that onnxruntime makes cannot be made again once it is lost. */
import { MonitorError } from '../../core/index.ts'
import { messageOf } from './explain.ts'
import { type GpuAdapter, type GpuDevice, gpu, isSecure } from './host.ts'

/** What onnxruntime uses where it is there (webgpu_context.cc). */
const FEATURES = ['shader-f16', 'subgroups']
/** What onnxruntime asks for at its highest (webgpu_context.cc). */
const LIMITS = [
  'maxBindGroups',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
]

/** An adapter that has really been given. Throws `backend_unavailable` with the reason in words. */
export async function requestAdapter(): Promise<GpuAdapter> {
  const found = gpu()
  if (found === undefined) {
    throw unavailable(
      isSecure()
        ? 'there is no WebGPU here (navigator.gpu is missing)'
        : 'WebGPU needs a secure context: serve the page by https or from localhost',
    )
  }
  let adapter: GpuAdapter | null
  try {
    adapter = await found.requestAdapter()
  } catch (cause) {
    throw unavailable(`the browser gives no WebGPU adapter: ${messageOf(cause)}`)
  }
  if (adapter === null) {
    throw unavailable('the browser has WebGPU but gives no adapter: no usable GPU, or blocked by its settings')
  }
  return adapter
}

/** The adapter as the browser names it, such as `google swiftshader`. */
export function adapterName({ info }: GpuAdapter): string {
  const name = [info?.vendor, info?.architecture].filter((part) => part !== undefined && part !== '').join(' ')
  return name === '' ? (info?.description ?? '') || 'unnamed' : name
}

/** A device as onnxruntime would make it. Throws `backend_unavailable`. */
export async function requestDevice(adapter: GpuAdapter): Promise<GpuDevice> {
  try {
    return await adapter.requestDevice({
      requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
      requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
    })
  } catch (cause) {
    throw unavailable(`the browser gives no WebGPU device: ${messageOf(cause)}`)
  }
}

function unavailable(message: string): MonitorError {
  return new MonitorError('backend_unavailable', message)
}
