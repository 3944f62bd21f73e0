/** Who asks: names from keys and addresses, without keys and addresses in them. */
import { createHash } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { addressPrefix } from '../src/edge/client/address.ts'
import { type IdentifyOptions, identifyClient, monitorFetch } from '../src/edge/index.ts'
import { classify, fakeWatcher, postJson } from './tools/edge.ts'

const key = 'a secret of at least 16 bytes'
const request = (headers: Record<string, string> = {}) => new Request('http://a.example', { headers })
const identify = (options: IdentifyOptions = {}) => identifyClient({ key, ...options })
const host = (hostname: unknown) => ({ remoteAddr: { hostname } })

afterEach(() => vi.unstubAllGlobals())

describe('addresses', () => {
  test.each([
    ['203.0.113.9', '203.0.113.0/24'],
    ['203.0.113.255:8080', '203.0.113.0/24'],
    [' 10.1.2.3 ', '10.1.2.0/24'],
    ['2001:db8:0:12ff::1', '2001:db8:0:1200::/56'],
    ['2001:DB8:0000:1234:5:6:7:8', '2001:db8:0:1200::/56'],
    ['[2001:db8::1]:443', '2001:db8:0:0::/56'],
    ['::', '0:0:0:0::/56'],
    ['::1', '0:0:0:0::/56'],
    ['fe80::1%eth0', 'fe80:0:0:0::/56'],
    ['1:2:3:4:5:6:7::', '1:2:3:0::/56'],
    ['::2:3:4:5:6:7:8', '0:2:3:0::/56'],
    ['::ffff:203.0.113.9', '203.0.113.0/24'],
    ['::FFFF:cb00:7109', '203.0.113.0/24'],
    ['[::ffff:203.0.113.9]', '203.0.113.0/24'],
    ['64:ff9b::203.0.113.9', '64:ff9b:0:0::/56'],
  ])('%s', (text, expected) => {
    expect(addressPrefix(text)).toBe(expected)
  })

  test.each([
    '',
    'unknown',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4/24',
    '1.2.3.-4',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4:5:6:7::8',
    ':1:2:3:4:5:6:7',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
    '_hidden',
    '[::1',
    '::1]',
    '1.2.3.4\r\nx: y',
  ])('%j is none', (text) => {
    expect(addressPrefix(text)).toBeUndefined()
  })

  test('every address that Node knows has a prefix, and nothing else has', () => {
    const nearly = fc.stringMatching(/^[\da-f:.]{1,24}$/)
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearly), (text) => {
        const isPort = /^[\d.]+:\d+$/.test(text) // taken for an address and its port
        fc.pre(!isPort)
        expect(addressPrefix(text) !== undefined).toBe(isIPv4(text) || isIPv6(text))
      }),
      { seed: 20261201, numRuns: 5000 },
    )
  })
})

describe('identifyClient', () => {
  test('the key comes first, then the address', () => {
    const name = identify()
    expect(name(request({ authorization: 'Bearer abc' }), host('1.2.3.4'))).toMatch(/^k_[\da-f]{32}$/)
    expect(name(request(), host('1.2.3.4'))).toMatch(/^a_[\da-f]{32}$/)
    expect(name(request())).toBeUndefined()
    expect(name(request(), host('a.sock'))).toBeUndefined()
  })

  test('one key is one client, however its scheme is written and wherever it comes from', () => {
    const name = identify()
    const names = [
      name(request({ authorization: 'Bearer abc' }), host('1.2.3.4')),
      name(request({ authorization: 'bearer   abc ' }), host('5.6.7.8')),
      name(request({ 'x-api-key': 'abc' })),
    ]
    expect(new Set(names).size).toBe(1)
    expect(name(request({ authorization: 'Bearer abcd' }))).not.toBe(names[0])
  })

  test('one network is one client: the /24 and the /56', () => {
    const name = identify()
    const at = (address: string) => name(request(), host(address))
    expect(at('1.2.3.4')).toBe(at('1.2.3.200'))
    expect(at('1.2.3.4')).toBe(at('::ffff:1.2.3.9'))
    expect(at('1.2.3.4')).not.toBe(at('1.2.4.4'))
    expect(at('2001:db8:0:1200::1')).toBe(at('2001:db8:0:12ff:ffff::'))
    expect(at('2001:db8:0:1200::1')).not.toBe(at('2001:db8:0:1300::1'))
  })

  test('a name is half of SHA-256 over the digest of the secret, the kind, and the text', () => {
    const digest = (text: string) => createHash('sha256').update(text).digest('hex')
    expect(identify()(request({ 'x-api-key': 'abc' }))).toBe(`k_${digest(`${digest(key)}key\nabc`).slice(0, 32)}`)
  })

  test('a name that is no well-formed text is hashed as its UTF-8 with replacements', () => {
    const digest = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    for (const own of ['\ud800', 'a\udc00b', '\ufeffé', '😀', 'x'.repeat(10_000)]) {
      const bytes = new TextEncoder().encode(`${digest(key)}user\n${own}`)
      expect(identify({ by: () => own })(request())).toBe(`u_${digest(bytes).slice(0, 32)}`)
    }
  })

  test('a text has another name as a user, as a key, and under another secret', () => {
    const text = '1.2.3.0/24'
    const names = [
      identify({ by: () => text })(request()),
      identify()(request({ 'x-api-key': text })),
      identify()(request(), host('1.2.3.4')),
      identify({ key: 'another secret, long enough' })(request({ 'x-api-key': text })),
    ].map((name) => name!.slice(2))
    expect(new Set(names).size).toBe(4)
  })

  test('without a secret a name holds for one middleware', () => {
    const [a, b] = [identifyClient(), identifyClient()]
    const asked = request({ 'x-api-key': 'abc' })
    expect(a(asked)).toBe(a(asked))
    expect(a(asked)).not.toBe(b(asked))
  })

  test('users of your own come before keys, and their names do not show', () => {
    const name = identify({ by: (r) => r.headers.get('x-user') ?? undefined })
    const ada = name(request({ 'x-user': 'ada@a.example', 'x-api-key': 'abc' }))
    expect(ada).toMatch(/^u_[\da-f]{32}$/)
    expect(name(request({ 'x-user': '', 'x-api-key': 'abc' }))).toMatch(/^k_/)
  })

  test('only the headers that are named count', () => {
    const name = identify({ keyHeaders: ['x-token'] })
    expect(name(request({ authorization: 'Bearer abc', 'x-api-key': 'abc' }))).toBeUndefined()
    expect(name(request({ 'x-token': 'abc' }))).toMatch(/^k_/)
    expect(identify({ keyHeaders: [] })(request({ authorization: 'a' }))).toBeUndefined()
  })

  test('forwarded addresses count only behind proxies that are named, from the end', () => {
    const forged = { 'x-forwarded-for': '6.6.6.6, 1.2.3.4, 10.0.0.1', 'cf-connecting-ip': '6.6.6.6' }
    expect(identify()(request(forged))).toBeUndefined()
    const at = (address: string) => identify()(request(), host(address))
    expect(identify({ addressHeader: 'x-forwarded-for' })(request(forged), host('10.9.9.9'))).toBe(at('10.0.0.1'))
    expect(identify({ addressHeader: 'x-forwarded-for', proxies: 2 })(request(forged))).toBe(at('1.2.3.4'))
    expect(identify({ addressHeader: 'x-forwarded-for', proxies: 4 })(request(forged))).toBeUndefined()
    expect(identify({ addressHeader: 'x-real-ip' })(request(forged))).toBeUndefined()
  })

  test('on Cloudflare the address is in a header of its own', () => {
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
    expect(identify()(request({ 'cf-connecting-ip': '1.2.3.4' }))).toMatch(/^a_/)
    expect(identify()(request(), host('1.2.3.4'))).toBeUndefined()
  })

  test('every host hands the address over in its own way', () => {
    const expected = identify()(request(), host('1.2.3.4'))
    const bun = { requestIP: () => ({ address: '1.2.3.4', family: 'IPv4', port: 5 }) }
    const node = { incoming: { socket: { remoteAddress: '1.2.3.4' } } }
    for (const args of [
      [bun],
      [{ server: bun }],
      [node],
      [{ env: node }],
      [{ env: bun }],
      [undefined, 7, null, node],
    ]) {
      expect(identify()(request(), ...args)).toBe(expected)
    }
    expect(identify()(request(), { requestIP: () => null })).toBeUndefined()
  })

  test.each([
    ['a short key', { key: 'fifteen bytes..' }, 'client.key.length'],
    ['a key that is none', { key: 7 }, 'client.key'],
    ['a name in capitals', { keyHeaders: ['X-Token'] }, 'client.keyHeaders[0]'],
    ['no list', { keyHeaders: 'x-token' }, 'client.keyHeaders'],
    ['an impossible header', { addressHeader: 'x y' }, 'client.addressHeader'],
    ['no proxies', { proxies: 0 }, 'client.proxies'],
    ['an unknown option', { trustProxy: true }, 'client.trustProxy'],
  ])('%s is refused', (_, options, path) => {
    expect(() => identifyClient(options as never)).toThrow(expect.objectContaining({ code: 'bad_config', path }))
  })
})

describe('a client without a name', () => {
  const options = { monitor: fakeWatcher({ admit: () => ({ allowed: false, suspendedUntilMs: 9e15 }) }) }

  test('closed: is refused, and counted', async () => {
    const watched = monitorFetch(classify, { ...options, onError: 'closed' })
    const response = await watched(postJson({}))
    expect([response.status, await response.json()]).toEqual([
      401,
      { error: { code: 'unidentified', message: 'nothing tells who asks' } },
    ])
    expect(watched.counts()).toMatchObject({ refused: 1, failed: { unidentified: 1 } })
  })

  test('open: is served, and not held to what others without a name have done', async () => {
    const watched = monitorFetch(classify, { ...options, onError: 'open' })
    expect((await watched(postJson({}))).status).toBe(200)
    expect(watched.counts().failed).toEqual({ unidentified: 1 })
  })

  test('a function that throws gives no name; one that gives the empty name means it', async () => {
    const client = () => Promise.reject(new Error('no session'))
    expect((await monitorFetch(classify, { ...options, client, onError: 'closed' })(postJson({}))).status).toBe(401)
    expect((await monitorFetch(classify, { ...options, client: () => '', onError: 'open' })(postJson({}))).status).toBe(
      403,
    )
  })
})
