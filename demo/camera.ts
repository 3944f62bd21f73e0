/** The visitor's camera: a picture of it is a query like any other. Nothing is recorded, and nothing leaves the tab. */
import { button, byId, element } from './elements.ts'

/** Longest side of a picture that is asked about, in pixels. */
const LONGEST = 640

/** `take` is handed each picture that the visitor asks about. */
export function setUpCamera(take: (picture: Blob) => void): void {
  const video = element('video', {
    playsinline: true,
    muted: true,
    hidden: true,
    'aria-label': 'What the camera sees',
    'data-testid': 'camera-view',
  })
  const told = element('p', { class: 'hint', role: 'status', 'data-testid': 'camera-told' })
  const open = button('Use the camera', () => attempt(start), { 'data-testid': 'camera-open' })
  const ask = button('Ask about this picture', () => attempt(askNow), {
    class: 'primary',
    hidden: true,
    'data-testid': 'camera-ask',
  })
  const close = button('Close the camera', stop, { hidden: true, 'data-testid': 'camera-close' })
  const panel = byId('panel-image')
  let stream: MediaStream | undefined

  byId('camera').append(element('p', { class: 'row' }, open, ask, close), video, told)
  addEventListener('pagehide', stop)
  // Who goes to another tab of the form has no need of it any more.
  new MutationObserver(() => {
    if (panel.hidden) stop()
  }).observe(panel, { attributeFilter: ['hidden'] })

  async function start(): Promise<void> {
    if (navigator.mediaDevices === undefined) throw new Error('browsers give a camera to pages over https only')
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: LONGEST } } })
    video.srcObject = stream
    show(true)
    await video.play()
    told.textContent = 'Ask about it, move a little, and ask again.'
    ask.focus()
  }

  async function askNow(): Promise<void> {
    const { videoWidth: width, videoHeight: height } = video
    if (width === 0) throw new Error('there is no picture yet; try again in a moment')
    const scale = Math.min(1, LONGEST / Math.max(width, height))
    const canvas = element('canvas', { width: Math.round(width * scale), height: Math.round(height * scale) })
    canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height)
    const picture = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
    if (picture === null) throw new Error('the picture could not be taken; try again')
    take(picture)
  }

  function stop(): void {
    for (const track of stream?.getTracks() ?? []) track.stop()
    stream = undefined
    video.srcObject = null
    show(false)
    told.textContent = ''
  }

  function show(isOn: boolean): void {
    for (const one of [video, ask, close]) one.hidden = !isOn
    open.hidden = isOn
  }

  function attempt(work: () => Promise<void>): void {
    work().catch((thrown: Error) => {
      told.textContent = `No camera: ${REASONS[thrown.name] ?? thrown.message}.`
    })
  }
}

/** What browsers mean by their names of errors. */
const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError: 'this page may not use it; allow it in the settings of the browser for this site',
  NotFoundError: 'none was found',
  NotReadableError: 'it is in use elsewhere',
}
