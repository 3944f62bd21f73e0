/**
 * The steps that must be whole, as Lua for Redis 7. A log is a stream whose entries are numbered 0-1, 0-2, …: no clock is in
 * them, and a gap shows. Beside it stands a hash with `last`, the number of the last entry, and `trimmed`, up to where they
 * are gone. Redis writes what a script has changed into its own log as one transaction.
 */

const NUMBER = `local function id(n) return '0-' .. string.format('%.0f', n) end
local function field(key, name) return tonumber(redis.call('HGET', key, name) or '0') end
`

/** KEYS log, head · ARGV known, since, most between, channel, entries … → last before, what stands between */
export const APPEND = `${NUMBER}
local last = field(KEYS[2], 'last')
if last < tonumber(ARGV[1]) then return redis.error_reply('LOST ' .. string.format('%.0f', last)) end
local between = {}
local since = tonumber(ARGV[2])
if since >= 0 and since < last and last - since <= tonumber(ARGV[3]) then
  between = redis.call('XRANGE', KEYS[1], id(since + 1), id(last))
end
for i = 5, #ARGV do redis.call('XADD', KEYS[1], id(last + i - 4), 'e', ARGV[i]) end
local now = string.format('%.0f', last + #ARGV - 4)
redis.call('HSET', KEYS[2], 'last', now)
redis.call('PUBLISH', ARGV[4], now)
return { string.format('%.0f', last), between }
`

/** KEYS log, head · ARGV up to, entries to keep */
export const TRIM = `${NUMBER}
local upTo = math.min(tonumber(ARGV[1]), field(KEYS[2], 'last') - tonumber(ARGV[2]))
if upTo > field(KEYS[2], 'trimmed') then
  redis.call('XTRIM', KEYS[1], 'MINID', '=', id(upTo + 1))
  redis.call('HSET', KEYS[2], 'trimmed', string.format('%.0f', upTo))
end
return 0
`

/** KEYS pointer, the new one's part, the pointer's prefix of parts · ARGV position, token → 1 if it is the new one */
export const SWAP = `
local old = redis.call('HMGET', KEYS[1], 'position', 'token')
if old[1] and old[1] > ARGV[1] then
  redis.call('UNLINK', KEYS[2])
  return 0
end
if redis.call('EXISTS', KEYS[2]) == 0 then return redis.error_reply('GONE the new snapshot has gone meanwhile') end
redis.call('PERSIST', KEYS[2])
redis.call('HSET', KEYS[1], 'position', ARGV[1], 'token', ARGV[2])
if old[2] then redis.call('UNLINK', KEYS[3] .. old[2]) end
return 1
`

/** KEYS notes, their ends · ARGV name, position, until, now, end, channel → 1 if it is news */
export const POST = `
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[4], 'LIMIT', 0, 100)) do
  redis.call('HDEL', KEYS[1], name)
  redis.call('ZREM', KEYS[2], name)
end
local note = redis.call('HGET', KEYS[1], ARGV[1])
if note and note:match('^%S*') >= ARGV[2] then return 0 end
local new = ARGV[2] .. ' ' .. ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], new)
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[1])
redis.call('PUBLISH', ARGV[6], ARGV[1] .. ' ' .. new)
return 1
`
