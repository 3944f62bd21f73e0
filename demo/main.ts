/** The page: what is asked goes to the session, what comes back goes to the stream, the chart and the line of facts. */
import { createChart } from './chart.ts'
import { setUpControls, tellError } from './controls.ts'
import { createDrafts } from './drafts.ts'
import { byId } from './elements.ts'
import { setUpFacts } from './facts.ts'
import { type Send, setUpRow, setUpTabs, setUpText } from './inputs.ts'
import { setUpMeaning } from './meaning/panel.ts'
import { keepOffline } from './offline.ts'
import { setUpOperator } from './operate.ts'
import { setUpPictures } from './pictureInput.ts'
import { Session } from './session.ts'
import { defineStory } from './story/index.ts'
import { createStream } from './stream.ts'
import { setUpTour } from './tour.ts'
import { spoken } from './wording.ts'

defineStory()
keepOffline()

const session = new Session(() => showFacts())
const stream = createStream()
const chart = createChart((number) => stream.reveal(number))
const showFacts = setUpFacts(session)
const selectTab = setUpTabs()
const tellOperator = setUpOperator({ session, onRestored: () => show('The state was loaded.'), onError: tellError })
/** What to say in the next frame; undefined while none is due. */
let next: string | undefined

const send: Send = (query) => {
  session.ask(query).then((judged) => {
    tellOperator(judged)
    show(spoken(judged))
  }, tellError)
}

const preview = createDrafts(session, (number) => stream.light(number))

setUpText(send, preview)
setUpRow(send, preview)
setUpPictures({ send, onPicture: () => selectTab('image'), onError: tellError })
setUpControls({ session, onChanged: show })
setUpMeaning(session, show)
setUpTour(send, tellError)
show('')

/** In the next frame, once for all that came in until then. */
function show(told: string): void {
  if (next === undefined) requestAnimationFrame(render)
  next = told
}

function render(): void {
  stream.show(session.judged)
  chart.draw(session.judged, session.settings)
  showFacts()
  byId('spoken').textContent = next ?? ''
  next = undefined
}
