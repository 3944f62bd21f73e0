/** The page: asks the model API, and knows nothing of a monitor. See sw.mjs. */
const form = document.querySelector('form')
const status = document.querySelector('[role=status]')
const list = document.querySelector('ol')

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const text = form.elements.text.value
  form.reset()
  const response = await fetch('/model', { method: 'POST', body: JSON.stringify({ text }) })
  const item = document.createElement('li')
  item.textContent = `${response.status} ${await response.text()}`
  list.append(item)
})

navigator.serviceWorker.addEventListener('controllerchange', tell)
await navigator.serviceWorker.register('/sw.mjs', { type: 'module' })
tell()

function tell() {
  if (navigator.serviceWorker.controller !== null) status.textContent = 'watched'
}
