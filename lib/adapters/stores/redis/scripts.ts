import { createHash } from 'node:crypto'

/** A Lua script: one atomic step on one key. The time is passed in; Redis' own clock only ends keys. */
export interface Script {
  readonly text: string
  readonly sha: string
}

function script(lua: string): Script {
  const text = lua.trim()
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

// A record is a hash: `rest` holds what never changes, each other member has its own field. All values are JSON.

/** ARGV: keptUntil, then fields and values. */
export const write = script(`
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
return 1`)

/** ARGV: none. */
export const read = script(`return redis.call('HGETALL', KEYS[1])`)

/** ARGV: none. */
export const remove = script(`return redis.call('DEL', KEYS[1])`)

/**
 * The rule is `paceOf` of `core/pacing.ts`.
 * ARGV: clientId, authReqIdHash, now, hold (ms), tolerance (ms), step (s), maximum interval (s), maximum hold (ms).
 */
export const poll = script(`
local is = redis.call('HMGET', KEYS[1],
  'clientId', 'authReqIdHash', 'status', 'expiresAt', 'lastPollAt', 'intervalSeconds', 'slowDowns')
if is[1] ~= ARGV[1] or is[2] ~= ARGV[2] then return false end
local now, early = tonumber(ARGV[3]), 0
if is[3] == '"pending"' and now < tonumber(is[4]) then
  local interval = tonumber(is[6])
  if is[5] and now - tonumber(is[5]) < interval * 1000 - tonumber(ARGV[5]) then early = 1 end
  if early == 0 then
    local ahead = math.max(0, tonumber(ARGV[4]) - interval * 1000)
    redis.call('HSET', KEYS[1], 'lastPollAt', string.format('%.0f', now + ahead))
  elseif interval < tonumber(ARGV[7]) then
    local longer = math.min(tonumber(ARGV[7]), interval + tonumber(ARGV[6]))
    local ahead = tonumber(is[5]) - now
    if ahead > tonumber(ARGV[8]) then ahead = 0 end
    local stamp = string.format('%.0f', now + math.max(0, ahead - tonumber(ARGV[6]) * 1000))
    redis.call('HSET', KEYS[1], 'lastPollAt', stamp, 'intervalSeconds', longer, 'slowDowns', tonumber(is[7]) + 1)
  end
end
return {early, redis.call('HGETALL', KEYS[1])}`)

/** ARGV: when the poll came. */
export const release = script(`
local is = redis.call('HMGET', KEYS[1], 'status', 'lastPollAt')
if is[1] == '"pending"' and is[2] and tonumber(is[2]) > tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'lastPollAt', ARGV[1])
end
return 1`)

/** ARGV: from, now, keptUntil or '', then fields and values, the status among them. */
export const move = script(`
local is = redis.call('HMGET', KEYS[1], 'status', 'expiresAt')
if not is[1] then return false end
if is[1] ~= ARGV[1] or tonumber(ARGV[2]) >= tonumber(is[2]) then return {0, redis.call('HGETALL', KEYS[1])} end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
if ARGV[3] ~= '' then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
return {1, redis.call('HGETALL', KEYS[1])}`)

/** Open requests of a user, by their end. ARGV: id, now, expiresAt, limit or ''. */
export const open = script(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
if ARGV[4] ~= '' and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2])
return 1`)

/** ARGV: id. */
export const close = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`)

/** ARGV: until. */
export const firstSeen = script(`
return redis.call('SET', KEYS[1], '1', 'NX', 'PXAT', ARGV[1]) and 1 or 0`)

/** ARGV: none. */
export const seen = script(`return redis.call('EXISTS', KEYS[1])`)

/** The rule is `rotateFamily` of `core/refreshFamily.ts`. ARGV: from, to, now, previousUntil, expiresAt. */
export const rotate = script(`
local is = redis.call('HMGET', KEYS[1], 'tokenHash', 'previousHash', 'previousUntil', 'expiresAt')
local now = tonumber(ARGV[3])
if not is[1] or now >= tonumber(is[4]) then return false end
local outcome = 'reused'
if is[1] == ARGV[1] then
  outcome = 'rotated'
  redis.call('HSET', KEYS[1], 'previousHash', ARGV[1], 'previousUntil', ARGV[4])
elseif is[2] == ARGV[1] and now < tonumber(is[3]) then
  outcome = 'repeated'
end
if outcome == 'reused' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'tokenHash', ARGV[2], 'expiresAt', ARGV[5])
  redis.call('PEXPIREAT', KEYS[1], ARGV[5])
end
return outcome`)
