/** Internet addresses, as far as they name a client. */

/**
 * The part of an address that one customer of a network holds: the /24 of IPv4 (`203.0.113.0/24`) and the /56 of IPv6
 * (`2001:db8:0:1200::/56`), in one spelling. An IPv4 address inside an IPv6 one (`::ffff:203.0.113.9`) is an IPv4
 * address. Brackets, a port behind them or behind IPv4, and a zone (`%eth0`) are taken off. Undefined for anything else.
 */
export function addressPrefix(text: string): string | undefined {
  const bare = bareAddress(text.trim())
  const four = parseIpv4(bare)
  if (four !== undefined) return prefix24(four)
  const six = parseIpv6(bare)
  if (six === undefined) return undefined
  return isMapped(six) ? prefix24([six[6]! >> 8, six[6]! & 255, six[7]! >> 8]) : prefix56(six)
}

function bareAddress(text: string): string {
  const inBrackets = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1]
  const withoutPort = inBrackets ?? text.replace(/^([\d.]+):\d{1,5}$/, '$1')
  return withoutPort.replace(/%[\w.~-]{1,64}$/, '')
}

/** The four bytes. A leading zero, which some readers take for octal, is refused. */
function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

/** The eight groups of 16 bits (RFC 4291, section 2.2). */
function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half, i) => groupsOf(half, i === halves.length - 1))
  if (head === undefined) return undefined
  if (halves.length === 1) return head.length === 8 ? head : undefined
  if (tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  return missing >= 1 ? [...head, ...new Array<number>(missing).fill(0), ...tail] : undefined
}

function groupsOf(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    const four = isEnd && i === parts.length - 1 ? parseIpv4(part) : undefined
    if (four !== undefined) groups.push((four[0]! << 8) | four[1]!, (four[2]! << 8) | four[3]!)
    else if (/^[\da-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
}

function prefix24(bytes: readonly number[]): string {
  return `${bytes.slice(0, 3).join('.')}.0/24`
}

function prefix56(groups: readonly number[]): string {
  const kept = [...groups.slice(0, 3), groups[3]! & 0xff00]
  return `${kept.map((group) => group.toString(16)).join(':')}::/56`
}
