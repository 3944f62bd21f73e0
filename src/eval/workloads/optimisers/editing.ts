import { defineWorkload } from '../../define.ts'
import { clip, moved } from '../../picture.ts'
import type { Random } from '../../random.ts'
import type { Picture, Shape } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'
import { softened } from '../parts/filters.ts'

export interface EditingConfig {
  /** Share of edits that are gone on from. Default 0.5. */
  readonly kept: number
}

const NOISE = 1 / 255

/** Soft focus, brightness by up to 3 %, grain and undo, whatever the model says. */
export const editing = defineWorkload({
  name: 'editing',
  kind: 'image',
  profile: 'F',
  sees: 'nothing',
  summary: 'edits a picture at random, keeps half of the edits and takes some back',
  defaults: { kept: 0.5 } as EditingConfig,
  run(oracle, { source, shape, budget }, { kept }) {
    const { random } = oracle
    const past = [source]
    return askEach(oracle, budget, () => {
      const tool = random.whole(4)
      if (tool === 3 && past.length > 1) {
        past.pop()
        return past.at(-1)!
      }
      const edited = edit(past.at(-1)!, shape, tool, random)
      if (random.next() < kept) past.push(edited)
      return edited
    })
  },
})

function edit(x: Picture, shape: Shape, tool: number, random: Random): Picture {
  if (tool === 0) return softened(x, shape, 0.3)
  if (tool > 1) return moved(x, random.normals(x.length), NOISE)
  const factor = 0.97 + 0.06 * random.next()
  return x.map((v) => clip(factor * v))
}
