/** Pictures inside JSON. */
import { MonitorError } from '../core/index.ts'

const DATA_URL = /^data:image\/[a-z0-9.+-]{1,40};base64,/i

/** The bytes of a picture in base64, with or without `data:image/png;base64,` in front. Throws `bad_query` at `path`. */
export function imageOfBase64(text: string, path: string): Uint8Array {
  const digits = text.replace(DATA_URL, '')
  if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) {
    throw new MonitorError('bad_query', 'must be base64 with its padding, in letters, digits, + and /', path)
  }
  const binary = atob(digits)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}
