/** The story's elements, made known to the page. */
import { AttackStory } from './attackStory.ts'
import { DrawDigit } from './drawDigit.ts'
import { QueryMap } from './queryMap.ts'
import { RunBadge } from './runBadge.ts'
import { UserLane } from './userLane.ts'
import { StoryVerdict } from './verdictPanel.ts'

export function defineStory(): void {
  customElements.define('query-map', QueryMap)
  customElements.define('user-lane', UserLane)
  customElements.define('story-verdict', StoryVerdict)
  customElements.define('run-badge', RunBadge)
  customElements.define('attack-story', AttackStory)
  customElements.define('draw-digit', DrawDigit)
}
