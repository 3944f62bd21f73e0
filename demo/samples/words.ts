/** Sentences and rows that show the point. All made up. */
import type { Row } from '../../src/core/index.ts'

export const SENTENCES = [
  { label: 'A question', text: 'Will it rain in Lisbon tomorrow afternoon?' },
  { label: 'The same, with typos', text: 'Will it rain in Lisbon tomorow afternon?' },
  { label: 'The same, shouted', text: 'WILL IT RAIN IN LISBON TOMORROW AFTERNOON?' },
  { label: 'Something else', text: 'Which cheese melts best on a pizza?' },
] as const

export const ROWS: readonly { readonly label: string; readonly row: Row }[] = [
  { label: 'Teacher, Lisbon', row: { age: 41, income: 52000, hours: 38, city: 'Lisbon', owner: true } },
  { label: 'Student, Oslo', row: { age: 23, income: 14500, hours: 12, city: 'Oslo', owner: false } },
  { label: 'Surgeon, Madrid', row: { age: 57, income: 131000, hours: 55, city: 'Madrid', owner: true } },
]
