/** Pictures: dropped anywhere on the page, pasted, chosen, of the camera, drawn by the page, or changed a little. */
import { setUpCamera } from './camera.ts'
import { byId, element } from './elements.ts'
import type { Send } from './inputs.ts'
import { CHANGES, type Change, PICTURES, paintSample, toFile } from './samples/pictures.ts'

/** Width of the small picture on a card, in device pixels. */
const THUMB = 144

interface PictureOptions {
  readonly send: Send
  /** Called when a picture comes from outside the tab. */
  readonly onPicture: () => void
  readonly onError: (thrown: unknown) => void
}

export function setUpPictures({ send, onPicture, onError }: PictureOptions): void {
  const file = byId<HTMLInputElement>('file')
  const zone = byId('zone')
  let last: Blob | undefined
  const changes = CHANGES.map(({ label, change }, i) => {
    const changeIt = element('button', { type: 'button', disabled: true, 'data-testid': `change-${i}` }, label)
    changeIt.addEventListener('click', () => attempt(() => sendChanged(change)))
    byId('changes').append(changeIt)
    return changeIt
  })
  for (const [i, { label, paint }] of PICTURES.entries()) {
    const canvas = paintSample(paint)
    canvas.setAttribute('aria-hidden', 'true')
    const choose = element('button', { type: 'button', class: 'picture', 'data-testid': `picture-${i}` }, canvas, label)
    choose.addEventListener('click', () => attempt(async () => take(await toFile(canvas))))
    byId('pictures').append(choose)
  }
  setUpCamera((picture) => attempt(() => take(picture)))
  file.addEventListener('change', () => {
    takeAll(file.files)
    file.value = ''
  })
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    onPicture()
    zone.classList.add('over')
  })
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) zone.classList.remove('over')
  })
  document.addEventListener('drop', (event) => {
    zone.classList.remove('over')
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    takeAll(event.dataTransfer.files)
  })
  document.addEventListener('paste', (event) => {
    const files = event.clipboardData?.files
    if (files === undefined || files.length === 0) return
    event.preventDefault()
    takeAll(files)
  })

  function takeAll(files: FileList | null): void {
    const all = [...(files ?? [])]
    if (all.length === 0) return
    onPicture()
    attempt(async () => {
      for (const one of all) await take(one) // one by one: their order is their number
    })
  }

  async function take(blob: Blob): Promise<void> {
    const query = await pictureQuery(blob)
    if (query.excerpt !== '') {
      last = blob
      for (const one of changes) one.disabled = false
    }
    send(query)
  }

  async function sendChanged(change: Change): Promise<void> {
    if (last !== undefined) send(await pictureQuery(await changedFile(last, change)))
  }

  function attempt(work: () => Promise<void>): void {
    work().catch(onError)
  }
}

/** A changed copy of an encoded picture, encoded. */
export async function changedFile(picture: Blob, change: Change): Promise<Blob> {
  const bitmap = await createImageBitmap(picture)
  try {
    return await toFile(change(bitmap))
  } finally {
    bitmap.close()
  }
}

/** A file as a query. What is no picture goes to the detectors as well: their error is the answer. */
export async function pictureQuery(blob: Blob): Promise<Parameters<Send>[0]> {
  return { kind: 'image', input: blob, excerpt: await thumbnail(blob) }
}

async function thumbnail(blob: Blob): Promise<string> {
  try {
    const bitmap = await createImageBitmap(blob, { resizeWidth: THUMB, resizeQuality: 'high' })
    const side = Math.min(bitmap.width, bitmap.height)
    const canvas = element('canvas', { width: THUMB, height: THUMB })
    const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2]
    canvas.getContext('2d')?.drawImage(bitmap, left, top, side, side, 0, 0, THUMB, THUMB)
    bitmap.close()
    return canvas.toDataURL('image/webp', 0.85)
  } catch {
    return '' // no picture that this browser knows: the card shows an empty frame beside the detectors' error
  }
}
