import { createHash } from 'node:crypto';
import { HubError } from '../../base/errors.ts';
import type { RedisCommand } from './redis-connection.ts';
import { foreign, keyRules, missingRights, replaced, unavailable } from './redis-faults.ts';
import type { LogKeys, RedisTarget } from './redis-target.ts';

/** The version of what is under the three keys. */
export const formatVersion = '1';

/** One unit of work in Redis: all of it is done and on disk, or nothing. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/**
 * The log's identity is written with its first event, and always before it.
 * Stops what would write to another log than the caller knows, or to a stream
 * that is not the hub's. ARGV[1] is the identity that the caller knows, or ''.
 */
const guard = `
local stream, hub, ids = KEYS[1], KEYS[2], KEYS[3]
local known = ARGV[1]
local id = redis.call('HGET', hub, 'id')
if id then
  if (known ~= '' and known ~= id) or redis.call('EXISTS', stream) == 0 then
    return redis.error_reply('HUBREPLACED ' .. id)
  end
elseif known ~= '' then
  return redis.error_reply('HUBREPLACED none')
elseif redis.call('EXISTS', stream, ids) > 0 then
  return redis.error_reply('HUBFOREIGN stream')
end
`;

/**
 * Appends groups. ARGV[2] is the identity of a new log, ARGV[3] a MessagePack
 * array: for each group whether it is atomic, its trace's two texts, which are
 * empty where it has none, the number of its events, and for each event its
 * eight fields and its mark. Answers the identity and for each
 * event the id of its entry, '=' and the id of its first entry, '!' (conflict)
 * or '-' (not stored). Marks are looked up before all entries and written after
 * them, many at once, which is a third of the work.
 * Without the flag \`allow-oom\` Redis refuses it before it starts when memory
 * is short, so that an OOM means that nothing was written.
 */
const append = `#!lua
${guard}
local HEAD, FIELDS, HASH, AT_ONCE = 4, 9, 22, 1000
local call, sent = redis.call, cmsgpack.unpack(ARGV[3])

local function first_if_same(mark, mine)
  local blank = string.find(mark, ' ', 1, true)
  local other = string.sub(mark, blank + 1)
  if string.sub(other, 1, HASH) ~= string.sub(mine, 1, HASH) then return nil end
  local a, b = string.sub(other, HASH + 1), string.sub(mine, HASH + 1)
  local silent = string.sub(a, 1, 1) == '=' or string.sub(b, 1, 1) == '='
  if silent or a == b then return string.sub(mark, 1, blank - 1) end
  return nil
end

local function each_group(work)
  local at = 1
  while at < #sent do
    local atomic, count = sent[at], sent[at + HEAD - 1]
    work(atomic, at + HEAD, at + HEAD + (count - 1) * FIELDS, sent[at + 1], sent[at + 2])
    at = at + HEAD + count * FIELDS
  end
end

local function many(list, work)
  for from = 1, #list, AT_ONCE do work(from, math.min(from + AT_ONCE - 1, #list)) end
end

local marks, event_ids = {}, {}
each_group(function(_, first, last)
  for at = first, last, FIELDS do event_ids[#event_ids + 1] = sent[at] end
end)
many(event_ids, function(from, to)
  local found = call('HMGET', ids, unpack(event_ids, from, to))
  for n = from, to do marks[event_ids[n]] = found[n - from + 1] or nil end
end)

local new_marks = {}
local function add(at, ...)
  return call('XADD', stream, '*',
    'event_id', sent[at], 'user_id', sent[at + 1], 'event_type', sent[at + 2],
    'amount', sent[at + 3], 'timestamp', sent[at + 4], 'currency', sent[at + 5],
    'received_at', sent[at + 6], 'metadata', sent[at + 7], ...)
end

local function add_traced(at, traceparent, tracestate)
  if traceparent == '' then return add(at) end
  if tracestate == '' then return add(at, 'traceparent', traceparent) end
  return add(at, 'traceparent', traceparent, 'tracestate', tracestate)
end

local function store(at, traceparent, tracestate)
  if not id then
    call('HSET', hub, 'format', '${formatVersion}', 'id', ARGV[2])
    id = ARGV[2]
  end
  local entry = add_traced(at, traceparent, tracestate)
  local mark = entry .. ' ' .. sent[at + 8]
  marks[sent[at]] = mark
  new_marks[#new_marks + 1] = sent[at]
  new_marks[#new_marks + 1] = mark
  return entry
end

local function append_one(at, traceparent, tracestate)
  local mark = marks[sent[at]]
  if not mark then return store(at, traceparent, tracestate) end
  local first = first_if_same(mark, sent[at + 8])
  return first and '=' .. first or '!'
end

local function in_conflict(at, own)
  local mine = sent[at + 8]
  local mark = own[sent[at]] or marks[sent[at]]
  if mark then return first_if_same(mark, mine) == nil end
  own[sent[at]] = '0-0 ' .. mine
  return false
end

local answer = { '' }
each_group(function(atomic, first, last, traceparent, tracestate)
  local own, refused, any = {}, {}, false
  if atomic then
    for at = first, last, FIELDS do
      refused[at] = in_conflict(at, own)
      any = any or refused[at]
    end
  end
  for at = first, last, FIELDS do
    if any then answer[#answer + 1] = refused[at] and '!' or '-'
    else answer[#answer + 1] = append_one(at, traceparent, tracestate) end
  end
end)
many(new_marks, function(from, to) call('HSET', ids, unpack(new_marks, from, to)) end)
answer[1] = id or ''
return answer
`;

/** Writes a little, as an append does. ARGV[2] is the time. */
const probe = `#!lua
${guard}
redis.call('HSET', hub, 'format', '${formatVersion}', 'checked_at', ARGV[2])
return id or ''
`;

/**
 * Remembers ARGV[2], what was archived when, unless it is ''; then removes up
 * to ARGV[5] of the oldest entries up to the id ARGV[3], but never the last
 * ARGV[4] before it, with the marks that are theirs. Answers how many. It may
 * run when memory is short: it makes room.
 */
const trim = `#!lua flags=allow-oom
${guard}
if not id then return 0 end
if ARGV[2] ~= '' then redis.call('HSET', hub, 'archived', ARGV[2]) end
if ARGV[3] == '' then return 0 end
local margin = tonumber(ARGV[4])
local kept = redis.call('XREVRANGE', stream, ARGV[3], '-', 'COUNT', margin + 1)
if #kept <= margin then return 0 end
local old = redis.call('XRANGE', stream, '-', kept[#kept][1], 'COUNT', ARGV[5])
if #old == 0 then return 0 end
local last = old[#old]
local oldest_left = redis.call('XRANGE', stream, '(' .. last[1], '+', 'COUNT', 1)[1]
if not oldest_left then return 0 end
for _, entry in ipairs(old) do
  local fields = entry[2]
  for at = 1, #fields, 2 do
    if fields[at] == 'event_id' then
      local mark = redis.call('HGET', ids, fields[at + 1])
      local own = entry[1] .. ' '
      if mark and string.sub(mark, 1, #own) == own then redis.call('HDEL', ids, fields[at + 1]) end
    end
  end
end
redis.call('XTRIM', stream, 'MINID', '=', oldest_left[1])
redis.call('HSET', hub, 'trimmed_to', last[1], 'trimmed_entry', cjson.encode(last[2]))
return #old
`;

/** Answers the rights that the user lacks for what the scripts and the reads do, before one of them fails halfway. */
const rights = `#!lua flags=no-writes
local stream, hub, ids = KEYS[1], KEYS[2], KEYS[3]
local needed = {
  { 'xadd', stream, '*', 'f', 'v' }, { 'xrange', stream, '-', '+' },
  { 'xrevrange', stream, '+', '-' }, { 'xtrim', stream, 'MINID', '1' },
  { 'xread', 'STREAMS', stream, '0' }, { 'exists', stream, ids }, { 'type', hub },
  { 'hget', hub, 'f' }, { 'hmget', hub, 'f' }, { 'hset', hub, 'f', 'v' },
  { 'hget', ids, 'f' }, { 'hmget', ids, 'f' }, { 'hset', ids, 'f', 'v' }, { 'hdel', ids, 'f' },
}
local missing = {}
for _, command in ipairs(needed) do
  if not redis.acl_check_cmd(unpack(command)) then missing[#missing + 1] = command[1] end
end
return missing
`;

export const scripts = {
  append: script(append),
  probe: script(probe),
  trim: script(trim),
  rights: script(rights),
} as const satisfies Record<string, Script>;

type Send = (command: RedisCommand) => Promise<unknown>;

/** So that each script is known by its hash. */
export async function loadScripts(send: Send): Promise<void> {
  await Promise.all(Object.values(scripts).map(({ text }) => send(['SCRIPT', 'LOAD', text])));
}

/** Runs a script on a log. One that Redis has forgotten has surely not run: it is taught again. */
export async function runScript(
  send: Send,
  { text, sha1 }: Script,
  { keys, shown }: RedisTarget,
  args: RedisCommand,
): Promise<unknown> {
  const command = ['EVALSHA', sha1, '3', ...keysOf(keys), ...args];
  try {
    return await send(command).catch(async (reason: unknown) => {
      if (!messageOf(reason).startsWith('NOSCRIPT')) throw reason;
      await send(['SCRIPT', 'LOAD', text]);
      return await send(command);
    });
  } catch (reason) {
    const message = messageOf(reason);
    if (message.startsWith('HUBREPLACED')) throw replaced(shown);
    if (message.startsWith('HUBFOREIGN')) {
      throw unavailable(foreign(`a stream "${keys.stream}"`, shown).message);
    }
    throw reason;
  }
}

/** Rejects with the ACL rules that would have to be granted. */
export async function checkRights(send: Send, target: RedisTarget): Promise<void> {
  const missing = (await runScript(send, scripts.rights, target, [])) as readonly string[];
  if (missing.length === 0) return;
  const rules = [...new Set(missing)].map((command) => `+${command}`);
  throw missingRights([...rules, ...keyRules(target.keys)], target.shown);
}

export function keysOf({ stream, hub, ids }: LogKeys): readonly string[] {
  return [stream, hub, ids];
}

function script(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/** What Redis said: a fault that means nothing in particular carries it as its cause. */
function messageOf(reason: unknown): string {
  const said = reason instanceof HubError ? (reason.cause ?? reason) : reason;
  return said instanceof Error ? said.message : '';
}
