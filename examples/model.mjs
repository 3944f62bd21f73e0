/** Stands in for a model, so that the examples run offline: it counts a few words. Put yours in its place. */

const WORDS = {
  glad: ['good', 'great', 'happy', 'love', 'thanks', 'nice'],
  sad: ['bad', 'late', 'lost', 'broken', 'wrong', 'never'],
}

/** Class probabilities of a text: `{ label, scores: [glad, sad] }`. */
export function classify(text) {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  const count = (mood) => words.filter((word) => WORDS[mood].includes(word)).length
  const glad = 1 / (1 + Math.exp(2 * (count('sad') - count('glad')) - 1))
  return { label: glad >= 0.5 ? 'glad' : 'sad', scores: [glad, 1 - glad] }
}

/** The same as a model API has it: `POST {"text": "…"}`. */
export async function modelApi(request) {
  const { text } = await request.json().catch(() => ({}))
  if (typeof text !== 'string') return Response.json({ error: 'text is missing' }, { status: 400 })
  return Response.json(classify(text))
}
