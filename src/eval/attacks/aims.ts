/** What an evasion attack wants to hear, and how far it is from it. */
import { logProbability, marginOf } from '../answers.ts'
import type { Answer, Picture, Task } from '../types.ts'

/** `any`: every label but the source's · `next`: the class after it, in a circle, so that a session needs no target of its own. */
export type Aim = 'any' | 'next'

/** To be lowered; Infinity for an answer that was refused. */
export type Loss = (answer: Answer) => number

type ImageTask = Pick<Task<Picture>, 'label' | 'classes'>

/** The class that the attack looks at: the one to leave, or the one to reach. */
function classOf(aim: Aim, { label, classes }: ImageTask): number {
  return aim === 'any' ? label : (label + 1) % classes
}

/** True for an answer that the attack wants; never for one that was refused. */
export function isReached(aim: Aim, task: ImageTask): (answer: Answer) => boolean {
  const k = classOf(aim, task)
  return ({ label, refused }) => !refused && (label === k) === (aim === 'next')
}

/** For `succeeds` of attacks with an aim. */
export function succeedsByAim({ aim }: { readonly aim: Aim }, task: ImageTask) {
  const isWanted = isReached(aim, task)
  return (_: Picture, answer: Answer) => isWanted(answer)
}

/** The margin of the class to leave, or that of the class to reach with its sign changed. */
export function marginLoss(aim: Aim, task: ImageTask): Loss {
  return lossOf(aim, task, marginOf)
}

/** ln of the probability of the class to leave, or that of the class to reach with its sign changed. */
export function probabilityLoss(aim: Aim, task: ImageTask): Loss {
  return lossOf(aim, task, logProbability)
}

function lossOf(aim: Aim, task: ImageTask, standing: (logits: Float32Array, k: number) => number): Loss {
  const k = classOf(aim, task)
  const sign = aim === 'any' ? 1 : -1
  return ({ logits, refused }) => (refused ? Infinity : sign * standing(logits, k))
}
