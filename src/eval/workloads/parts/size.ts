import type { Shape } from '../../types.ts'

/** Width from which the settings published for 224 pixels hold; below, those for 32. */
const LARGE = 64

/** What is published for pictures of 32 pixels, or for those of 224. */
export function bySize<T>({ width }: Shape, at32: T, at224: T): T {
  return width < LARGE ? at32 : at224
}
