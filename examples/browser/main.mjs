/** The page: sends texts to the worker and lists what comes back. See worker.mjs. */
const worker = new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' })
const form = document.querySelector('form')
const status = document.querySelector('[role=status]')
const list = document.querySelector('ol')

form.addEventListener('submit', (event) => {
  event.preventDefault()
  worker.postMessage(form.elements.text.value)
  form.reset()
})

worker.onmessage = ({ data }) => {
  if (data.kind === 'status') {
    status.textContent = data.text
    return
  }
  const item = document.createElement('li')
  item.dataset.kind = data.kind
  item.textContent = data.text
  list.append(item)
}
worker.onerror = ({ message }) => {
  status.textContent = message
}
