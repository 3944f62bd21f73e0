/** A notebook as a page: its texts, its code, and what came of it. */

const FENCE = '```'

/** As Markdown. Pictures become part of the page; plots get a white ground, as they are drawn in black. */
export function notebookPage({ cells }) {
  return `${cells.map(partOf).join('\n\n')}\n`
}

function partOf({ cell_type, source, outputs = [] }, i) {
  const text = source.join('')
  if (cell_type === 'markdown') return text
  return [`${FENCE}ts\n${text}\n${FENCE}`, ...outputs.map((output) => shown(output, i + 1))].join('\n\n')
}

function shown({ text, data = {} }, cell) {
  if (text !== undefined) return `${FENCE}text\n${text.join('').trimEnd()}\n${FENCE}`
  const png = data['image/png']
  if (png !== undefined) return `<img src="data:image/png;base64,${png}" alt="Picture of cell ${cell}">`
  const svg = data['image/svg+xml']?.join('')
  if (svg === undefined) return `${FENCE}text\n${data['text/plain']?.join('')}\n${FENCE}`
  const named = svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
  return `<img class="plot" src="data:image/svg+xml;base64,${Buffer.from(named).toString('base64')}" alt="Plot of cell ${cell}">`
}
