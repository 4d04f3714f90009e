// rest.mjs CONFIG: clients of /rest/v1, for test/t/028_rest_client.t.  Prints TAP.
//
// Queries through @supabase/postgrest-js are compared with the same query in SQL; requests that it cannot make are made by hand.
// What comes is compared as text where numbers matter: no digit may be lost on the way.
import { spawn } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import readline from 'node:readline'
import assert from 'node:assert/strict'
import { Validator } from '@seriousme/openapi-schema-validator'
import { PostgrestClient } from '@supabase/postgrest-js'

const config = JSON.parse(process.argv[2])

//
// Tools
//

let count = 0

async function test(name, body) {
	let why = ''
	try { await body() } catch (e) { why = e.code === 'ERR_ASSERTION' ? e.message : String(e.stack) }
	console.log(`${why ? 'not ok' : 'ok'} ${++count} - ${name.replace(/[#\n]/g, '.')}`)
	if (why) console.log(why.split('\n').slice(0, 40).map(line => `# ${line}`).join('\n'))
}

// What PostgreSQL says, as the superuser.
const psql = spawn('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', config.database],
	{ stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, PGOPTIONS: '-c search_path=bazaar,crypto_rt_api,public' } })
const said = readline.createInterface({ input: psql.stdout })[Symbol.asyncIterator]()
const END = 'that was all'

async function sql(query) {
	psql.stdin.write(`${query}\n;\n\\echo ${END}\n`)
	const lines = []
	for (;;) {
		const { value, done } = await said.next()
		if (done) throw new Error(`psql ended at ${query}`)
		if (value === END) return lines.join('\n')
		lines.push(value)
	}
}
const rows = query => sql(`SELECT coalesce(json_agg(t), '[]') FROM (${query}) t`)

// JSON with its numbers as they are written.
const exact = text => JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, token => token[0] === '"' ? token : `"#${token}"`))
const same = (got, wanted, what) => assert.deepEqual(exact(got), exact(wanted), what)

// The last reply that the client got.
let last
const listening = async (...request) => {
	const reply = await fetch(...request)
	last = { status: reply.status, headers: reply.headers, text: await reply.clone().text() }
	return reply
}

const client = (url, headers = {}) => new PostgrestClient(`${url}/rest/v1`, { fetch: listening, headers })
const api = client(config.shared)
const bazaar = api.schema('bazaar')
const things = (columns = 'id', options) => bazaar.from('things').select(columns, options)

// A request by hand, with its path as it is written.
function ask(method, path, headers = {}, body, base = config.shared) {
	return new Promise((resolve, reject) => {
		const { hostname, port } = new URL(base)
		const request = http.request({ hostname, port, method, headers, agent: false, timeout: 20000,
			path: '/rest/v1' + path.replace(/[^\x21\x23-\x3b\x3d\x3f-\x5d\x5f\x61-\x7a\x7c\x7e]/gu, encodeURIComponent) }, reply => {
			let text = ''
			reply.setEncoding('utf8').on('data', piece => { text += piece }).on('end', () => resolve({ status: reply.statusCode, headers: reply.headers, text }))
		})
		request.on('error', reject).on('timeout', () => request.destroy(new Error('no reply')))
		request.end(body)
	})
}

const things_profile = { 'Accept-Profile': 'bazaar' }
const SINGLE = 'application/vnd.pgrst.object+json'

// An error as PostgREST has them.
function is_error(text, code, details) {
	const error = JSON.parse(text)
	assert.deepEqual(Object.keys(error).sort(), ['code', 'details', 'hint', 'message'], text)
	assert.equal(typeof error.message, 'string', text)
	assert.match(error.code, code instanceof RegExp ? code : new RegExp(`^${code}$`), text)
	if (details) assert.match(String(error.details), details)
	return error
}

//
// Tables and views, through the client: the query, and its SQL
//

const READS = [
	// of crypto_rt_api
	['all of a view', () => api.from('tickers').select().order('symbol'), 'SELECT * FROM crypto_rt_api.tickers ORDER BY symbol'],
	['the single row', () => api.from('tickers').select().eq('symbol', 'BTC'), "SELECT * FROM crypto_rt_api.tickers WHERE symbol = 'BTC'"],
	['a page', () => api.from('tickers').select('symbol,price,rank').order('rank', { nullsFirst: false }).order('symbol').range(10, 109),
		'SELECT symbol, price, rank FROM crypto_rt_api.tickers ORDER BY rank NULLS LAST, symbol LIMIT 100 OFFSET 10'],
	['rows of the owner\'s own', () => api.from('tickers').select().neq('asset_type', 'crypto'), "SELECT * FROM crypto_rt_api.tickers WHERE asset_type <> 'crypto'"],
	['coins', () => api.from('coins').select().is('owns_symbol', true).lte('coin', 20).order('coin'), 'SELECT * FROM coins WHERE owns_symbol AND coin <= 20 ORDER BY coin'],
	['quotes', () => api.from('quotes').select().lte('rank', 30).order('rank'), 'SELECT * FROM quotes WHERE rank <= 30 ORDER BY rank'],
	['history, newest first', () => api.from('history').select().eq('symbol', 'BTC').order('time', { ascending: false }).limit(50),
		"SELECT * FROM crypto_rt_api.history WHERE symbol = 'BTC' ORDER BY time DESC LIMIT 50"],
	['candles', () => api.from('candles').select('time,open,high,low,close,ticks').eq('nameid', 'ethereum').eq('resolution', '1m').order('time').limit(70),
		"SELECT time, open, high, low, close, ticks FROM candles WHERE nameid = 'ethereum' AND resolution = '1m' ORDER BY time LIMIT 70"],
	['movers', () => api.from('movers').select().order('direction').order('place'), 'SELECT * FROM movers ORDER BY direction, place'],
	['market', () => api.from('market').select(), 'SELECT * FROM market'],
	['status', () => api.from('status').select('state,source,coins,active_coins,problems,redis_connected'), 'SELECT state, source, coins, active_coins, problems, redis_connected FROM status'],
	['tiers', () => api.from('tiers').select('tier,first_rank,last_rank,interval_asked,ttl'), 'SELECT tier, first_rank, last_rank, interval_asked, ttl FROM tiers'],

	// columns
	['every type', () => things('*').order('id'), 'SELECT * FROM things ORDER BY id'],
	['columns', () => things('id, name, n').order('id'), 'SELECT id, name, n FROM things ORDER BY id'],
	['an alias', () => things('id,label:name,exactly:n').order('id'), 'SELECT id, name AS label, n AS exactly FROM things ORDER BY id'],
	['a cast', () => things('id::text,n::text,took::text,mood::text,short:f::numeric').eq('id', 1), 'SELECT id::text, n::text, took::text, mood::text, f::numeric AS short FROM things WHERE id = 1'],
	['* and more', () => bazaar.from('fast things').select('*,also:n::text').order('id'), 'SELECT *, n::text AS also FROM "fast things" ORDER BY id'],
	['JSON paths', () => things('id,doc->a->>b,key:doc->list->1->k,doc->list').order('id'), "SELECT id, doc->'a'->>'b' AS b, doc->'list'->1->'k' AS key, doc->'list' AS list FROM things ORDER BY id"],
	['JSON paths with a cast', () => things('id,five:doc->>n::numeric').order('id'), "SELECT id, (doc->>'n')::numeric AS five FROM things ORDER BY id"],
	['JSON paths with indexes', () => things('id,first:doc->0,end:doc->-1,deep:doc->deep->list->1->>0').order('id'),
		"SELECT id, doc->0 AS first, doc->-1 AS end, doc->'deep'->'list'->1->>0 AS deep FROM things ORDER BY id"],
	['JSON paths into arrays and composites', () => things('id,nums->0,tags->>1,x:pair->x,pair->>y').order('id'),
		"SELECT id, to_jsonb(nums)->0 AS nums, to_jsonb(tags)->>1 AS tags, to_jsonb(pair)->'x' AS x, to_jsonb(pair)->>'y' AS y FROM things ORDER BY id"],
	['names with spaces', () => things('id,"weird name"').eq('weird name', 'w 2'), `SELECT id, "weird name" FROM things WHERE "weird name" = 'w 2'`],
	['names that are quoted', () => things('id,"a.b","(in,side)","quo\\"te","😀",MiXed').order('id'), 'SELECT id, "a.b", "(in,side)", "quo""te", "😀", "MiXed" FROM things ORDER BY id'],
	['filters on names that are quoted', () => things().eq('"a.b"', 'd.2').eq('"(in,side)"', 'i,2').eq('"quo\\"te"', 'q"2').eq('"😀"', '😀').eq('MiXed', 'M2'), 'SELECT id FROM things WHERE id = 2'],
	['a view with an odd name', () => bazaar.from('😀 view, (odd)').select().order('id'), 'SELECT * FROM "😀 view, (odd)" ORDER BY id'],

	// comparisons
	['eq', () => things().eq('name', 'plain'), "SELECT id FROM things WHERE name = 'plain'"],
	['eq: a comma needs no quotes here', () => things().eq('name', 'comma, here'), "SELECT id FROM things WHERE name = 'comma, here'"],
	['eq: quotes are the value\'s own here', () => things().eq('name', 'say "hi"'), `SELECT id FROM things WHERE name = 'say "hi"'`],
	['eq: a backslash', () => things().eq('name', 'back\\slash'), "SELECT id FROM things WHERE name = E'back\\\\slash'"],
	['eq: the empty string', () => things().eq('name', ''), "SELECT id FROM things WHERE name = ''"],
	['eq: the word null', () => things().eq('weird name', 'null'), `SELECT id FROM things WHERE "weird name" = 'null'`],
	['eq: any script', () => things().eq('name', 'Ünïcödé 😀'), "SELECT id FROM things WHERE name = 'Ünïcödé 😀'"],
	['neq', () => things().neq('mood', 'ok').order('id'), "SELECT id FROM things WHERE mood <> 'ok' ORDER BY id"],
	['gt, by all digits', () => things('id,n').gt('n', '12345678901234567890.123456789012345677').order('id'), 'SELECT id, n FROM things WHERE n > 12345678901234567890.123456789012345677 ORDER BY id'],
	['gte', () => things().gte('at', '2026-01-01T12:00:00+00:00').order('id'), "SELECT id FROM things WHERE at >= '2026-01-01T12:00:00+00:00' ORDER BY id"],
	['lt', () => things().lt('day', '2026-01-01').order('id'), "SELECT id FROM things WHERE day < '2026-01-01' ORDER BY id"],
	['lte, of an interval', () => things().lte('took', '1 day').order('id'), "SELECT id FROM things WHERE took <= '1 day' ORDER BY id"],
	['several are anded', () => things().gt('id', 2).lt('id', 6).neq('id', 4).order('id'), 'SELECT id FROM things WHERE id > 2 AND id < 6 AND id <> 4 ORDER BY id'],
	['match()', () => things().match({ id: 1, name: 'plain', flag: true }), "SELECT id FROM things WHERE id = 1 AND name = 'plain' AND flag"],
	['isdistinct', () => things().filter('flag', 'isdistinct', 'true').order('id'), 'SELECT id FROM things WHERE flag IS DISTINCT FROM true ORDER BY id'],
	['a uuid', () => things().eq('key', '123E4567-e89b-12d3-a456-426614174000'), "SELECT id FROM things WHERE key = '123e4567-e89b-12d3-a456-426614174000'"],
	['a bytea', () => things().eq('bin', '\\x6869'), "SELECT id FROM things WHERE bin = '\\x6869'"],
	['a bigint', () => things('id,big').eq('big', '9007199254740993'), 'SELECT id, big FROM things WHERE big = 9007199254740993'],
	['infinity', () => things('id,f,at').eq('f', 'Infinity'), "SELECT id, f, at FROM things WHERE f = 'Infinity'"],
	['like', () => things().like('name', '%la%').order('id'), "SELECT id FROM things WHERE name LIKE '%la%' ORDER BY id"],
	['like with *', () => things().like('name', '*la*').order('id'), "SELECT id FROM things WHERE name LIKE '%la%' ORDER BY id"],
	['ilike', () => things().ilike('name', 'pla_n').order('id'), "SELECT id FROM things WHERE name ILIKE 'pla_n' ORDER BY id"],
	['like, all of', () => things().likeAllOf('name', ['%p%', '%n']).order('id'), "SELECT id FROM things WHERE name LIKE ALL ('{%p%,%n}') ORDER BY id"],
	['like, any of', () => things().likeAnyOf('name', ['%hi%', 'comma%']).order('id'), "SELECT id FROM things WHERE name LIKE ANY ('{%hi%,comma%}') ORDER BY id"],
	['ilike, all of', () => things().ilikeAllOf('name', ['P%', '%n']).order('id'), "SELECT id FROM things WHERE name ILIKE ALL ('{P%,%n}') ORDER BY id"],
	['ilike, any of', () => things().ilikeAnyOf('name', ['PL%', '%HERE']).order('id'), "SELECT id FROM things WHERE name ILIKE ANY ('{PL%,%HERE}') ORDER BY id"],
	['match', () => things().filter('name', 'match', '^[a-z]+$').order('id'), "SELECT id FROM things WHERE name ~ '^[a-z]+$' ORDER BY id"],
	['imatch', () => things().filter('name', 'imatch', '^[a-z]+$').order('id'), "SELECT id FROM things WHERE name ~* '^[a-z]+$' ORDER BY id"],
	['match, any of', () => things().filter('name', 'match(any)', '{^p,^s}').order('id'), "SELECT id FROM things WHERE name ~ ANY ('{^p,^s}') ORDER BY id"],
	['eq, any of', () => things().filter('id', 'eq(any)', '{1,3,99}').order('id'), 'SELECT id FROM things WHERE id = ANY (\'{1,3,99}\') ORDER BY id'],
	['gte, all of', () => things().filter('id', 'gte(all)', '{2,5}').order('id'), "SELECT id FROM things WHERE id >= ALL ('{2,5}') ORDER BY id"],
	['not eq, any of', () => things().not('id', 'eq(any)', '{1,3}').order('id'), "SELECT id FROM things WHERE NOT id = ANY ('{1,3}') ORDER BY id"],

	// is and in
	['is null', () => things().is('flag', null).order('id'), 'SELECT id FROM things WHERE flag IS NULL ORDER BY id'],
	['is true', () => things().is('flag', true).order('id'), 'SELECT id FROM things WHERE flag IS TRUE ORDER BY id'],
	['is false', () => things().is('flag', false).order('id'), 'SELECT id FROM things WHERE flag IS FALSE ORDER BY id'],
	['is unknown', () => things().is('flag', 'unknown').order('id'), 'SELECT id FROM things WHERE flag IS UNKNOWN ORDER BY id'],
	['is not_null', () => things().is('doc', 'not_null').order('id'), 'SELECT id FROM things WHERE doc IS NOT NULL ORDER BY id'],
	['not is null', () => things().not('flag', 'is', null).order('id'), 'SELECT id FROM things WHERE flag IS NOT NULL ORDER BY id'],
	['is, in capitals', () => things().is('flag', 'TRUE').order('id'), 'SELECT id FROM things WHERE flag IS TRUE ORDER BY id'],
	['in', () => things().in('id', [1, 4, 99]).order('id'), 'SELECT id FROM things WHERE id IN (1, 4, 99) ORDER BY id'],
	['in, with commas and parentheses', () => things().in('name', ['comma, here', '(parens)', 'plain']).order('id'), "SELECT id FROM things WHERE name IN ('comma, here', '(parens)', 'plain') ORDER BY id"],
	['in, with quotes that are not at the begin', () => things().in('name', ['say "hi"', 'plain']).order('id'), `SELECT id FROM things WHERE name IN ('say "hi"', 'plain') ORDER BY id`],
	['in, with quotes and backslashes within quotes', () => things().filter('name', 'in', '("say \\"hi\\"","back\\\\slash")').order('id'), `SELECT id FROM things WHERE id IN (3, 4) ORDER BY id`],
	['in, of nothing', () => things().in('id', []), 'SELECT id FROM things WHERE false'],
	['in, of the empty string, which is nothing when alone', () => things().filter('name', 'in', '("")').order('id'), 'SELECT id FROM things WHERE false'],
	['in, of the empty string and another', () => things().filter('name', 'in', '("",plain)').order('id'), "SELECT id FROM things WHERE name IN ('', 'plain') ORDER BY id"],
	['not in', () => things().not('id', 'in', '(1,2,3)').order('id'), 'SELECT id FROM things WHERE id NOT IN (1, 2, 3) ORDER BY id'],
	['in, of times', () => things().in('at', ['2026-01-01T12:00:00Z', 'infinity']).order('id'), "SELECT id FROM things WHERE at IN ('2026-01-01T12:00:00Z', 'infinity') ORDER BY id"],

	// arrays, ranges, JSON
	['cs, of an array', () => things().contains('tags', ['b']).order('id'), "SELECT id FROM things WHERE tags @> '{b}' ORDER BY id"],
	['cs, with quotes', () => things().contains('tags', '{"x,y"}').order('id'), `SELECT id FROM things WHERE tags @> '{"x,y"}' ORDER BY id`],
	['cd, of an array', () => things().containedBy('tags', ['a', 'b', 'z']).order('id'), "SELECT id FROM things WHERE tags <@ '{a,b,z}' ORDER BY id"],
	['ov, of an array', () => things().overlaps('nums', [3, 9]).order('id'), "SELECT id FROM things WHERE nums && '{3,9}' ORDER BY id"],
	['eq, of an array', () => things().eq('nums', '{1,2,3}'), "SELECT id FROM things WHERE nums = '{1,2,3}'"],
	['cs, of JSON', () => things().contains('doc', { a: { b: 'c' } }).order('id'), `SELECT id FROM things WHERE doc @> '{"a":{"b":"c"}}' ORDER BY id`],
	['cd, of JSON', () => things().containedBy('doc', '[1,2,3,4]').order('id'), "SELECT id FROM things WHERE doc <@ '[1,2,3,4]' ORDER BY id"],
	['eq, of JSON', () => things().eq('doc', '{"n": 7.5, "deep": {"list": [[1,2],[3,4]]}}'), 'SELECT id FROM things WHERE id = 4'],
	['cs, of a range', () => things().contains('span', '[2,3]').order('id'), "SELECT id FROM things WHERE span @> '[2,3]'::int4range ORDER BY id"],
	['cd, of a range', () => things().containedBy('span', '[1,7)').order('id'), "SELECT id FROM things WHERE span <@ '[1,7)'::int4range ORDER BY id"],
	['ov, of a range', () => things().overlaps('period', '[2026-01-20,2026-01-21)').order('id'), "SELECT id FROM things WHERE period && '[2026-01-20,2026-01-21)'::tstzrange ORDER BY id"],
	['sl', () => things().rangeLt('span', '[6,7)').order('id'), "SELECT id FROM things WHERE span << '[6,7)'::int4range ORDER BY id"],
	['sr', () => things().rangeGt('span', '[4,6)').order('id'), "SELECT id FROM things WHERE span >> '[4,6)'::int4range ORDER BY id"],
	['nxr', () => things().rangeLte('span', '[4,7)').order('id'), "SELECT id FROM things WHERE span &< '[4,7)'::int4range ORDER BY id"],
	['nxl', () => things().rangeGte('span', '[3,4)').order('id'), "SELECT id FROM things WHERE span &> '[3,4)'::int4range ORDER BY id"],
	['adj', () => things().rangeAdjacent('span', '[6,10)').order('id'), "SELECT id FROM things WHERE span -|- '[6,10)'::int4range ORDER BY id"],
	['a filter on a JSON path', () => things().eq('doc->a->>b', 'c'), "SELECT id FROM things WHERE doc->'a'->>'b' = 'c'"],
	['a filter on a JSON path, as JSON', () => things().gt('doc->n', 5).order('id'), "SELECT id FROM things WHERE doc->'n' > '5' ORDER BY id"],
	['a filter on an element', () => things().eq('nums->0', 2), 'SELECT id FROM things WHERE nums[1] = 2'],
	['in, on a JSON path', () => things().in('doc->a->>b', ['c', 'd']).order('id'), "SELECT id FROM things WHERE doc->'a'->>'b' IN ('c', 'd') ORDER BY id"],
	['is null, on a JSON path', () => things().is('doc->a', null).order('id'), "SELECT id FROM things WHERE doc->'a' IS NULL ORDER BY id"],

	// text search
	['fts', () => things().textSearch('ts', "'fat' & 'rat'").order('id'), "SELECT id FROM things WHERE ts @@ to_tsquery('''fat'' & ''rat''') ORDER BY id"],
	['fts with a configuration', () => things().textSearch('ts', 'cats | impossible', { config: 'english' }).order('id'), "SELECT id FROM things WHERE ts @@ to_tsquery('english', 'cats | impossible') ORDER BY id"],
	['plfts', () => things().textSearch('ts', 'The Fat Cats', { type: 'plain', config: 'english' }), "SELECT id FROM things WHERE ts @@ plainto_tsquery('english', 'The Fat Cats')"],
	['phfts', () => things().textSearch('ts', 'fat cats', { type: 'phrase', config: 'english' }), "SELECT id FROM things WHERE ts @@ phraseto_tsquery('english', 'fat cats')"],
	['wfts', () => things().textSearch('ts', 'fun -impossible or cats', { type: 'websearch', config: 'english' }).order('id'), "SELECT id FROM things WHERE ts @@ websearch_to_tsquery('english', 'fun -impossible or cats') ORDER BY id"],
	['fts of a text', () => things().textSearch('body', 'cats', { config: 'english' }).order('id'), "SELECT id FROM things WHERE to_tsvector('english', body) @@ to_tsquery('english', 'cats') ORDER BY id"],
	['not fts', () => things().not('ts', 'fts(simple)', 'amusant').order('id'), "SELECT id FROM things WHERE NOT ts @@ to_tsquery('simple', 'amusant') ORDER BY id"],

	// logic
	['not', () => things().not('name', 'like', 'p%').order('id'), "SELECT id FROM things WHERE NOT name LIKE 'p%' ORDER BY id"],
	['or', () => things().or('id.eq.1,name.like.*hi*').order('id'), "SELECT id FROM things WHERE id = 1 OR name LIKE '%hi%' ORDER BY id"],
	['or, nested', () => things().or('id.eq.8,and(id.gt.1,id.lt.6,not.or(id.eq.2,id.eq.3))').order('id'), 'SELECT id FROM things WHERE id = 8 OR (id > 1 AND id < 6 AND NOT (id = 2 OR id = 3)) ORDER BY id'],
	['or, with not, in, is and lists', () => things().or('id.not.in.(1,2,3,4,5,6),flag.is.null,tags.cs.{a,b},span.cd."[3,6)"').order('id'),
		"SELECT id FROM things WHERE id NOT IN (1,2,3,4,5,6) OR flag IS NULL OR tags @> '{a,b}' OR span <@ '[3,6)'::int4range ORDER BY id"],
	['or, with quotes', () => things().or('name.eq."comma, here",name.eq."(parens)",name.eq."say \\"hi\\""').order('id'), 'SELECT id FROM things WHERE id IN (2, 3, 6) ORDER BY id'],
	['or, on names that are quoted and JSON paths', () => things().or('"a.b".eq.d1,doc->a->>b.eq.d,"😀".eq."::"').order('id'), `SELECT id FROM things WHERE "a.b" = 'd1' OR doc->'a'->>'b' = 'd' OR "😀" = '::' ORDER BY id`],
	['or, with text search', () => things().or('ts.fts(english).cats,ts.wfts(english).impossible,ts.plfts(simple).amusant').order('id'), 'SELECT id FROM things WHERE id IN (1, 4, 6) ORDER BY id'],
	['or, with any', () => things().or('id.eq(any).{1,2},name.ilike(all).{P*,*N}').order('id'), "SELECT id FROM things WHERE id IN (1, 2) OR name ILIKE ALL ('{P%,%N}') ORDER BY id"],
	['or twice', () => things().or('id.lt.4,id.gt.6').or('flag.is.true,flag.is.null').order('id'), 'SELECT id FROM things WHERE (id < 4 OR id > 6) AND (flag OR flag IS NULL) ORDER BY id'],

	// order and pages
	['order, nulls first and last', () => things('id,big').order('big', { ascending: false, nullsFirst: false }).order('id'), 'SELECT id, big FROM things ORDER BY big DESC NULLS LAST, id'],
	['order, as PostgreSQL has nulls', () => things('id,big').order('big', { ascending: false }).order('id'), 'SELECT id, big FROM things ORDER BY big DESC, id'],
	['order by a JSON path', () => things('id').order('doc->n', { nullsFirst: true }).order('doc->a->>b').order('id'), "SELECT id FROM things ORDER BY doc->'n' NULLS FIRST, doc->'a'->>'b', id"],
	['order by a name that is quoted', () => things('id').order('"a.b"', { nullsFirst: false }).order('id'), 'SELECT id FROM things ORDER BY "a.b" NULLS LAST, id'],
	['limit', () => things().order('id').limit(3), 'SELECT id FROM things ORDER BY id LIMIT 3'],
	['limit 0', () => things().limit(0), 'SELECT id FROM things LIMIT 0'],
	['range', () => things().order('id').range(2, 4), 'SELECT id FROM things ORDER BY id LIMIT 3 OFFSET 2'],
	['an offset past the end', () => things().order('id').range(100, 104), 'SELECT id FROM things WHERE false'],
	['an empty table', () => bazaar.from('empty').select(), 'SELECT * FROM "empty"'],
	['no more than --rest-max-rows', () => bazaar.from('many').select().order('id'), 'SELECT id FROM many ORDER BY id LIMIT 1000'],
	['nor by a limit', () => bazaar.from('many').select().order('id').limit(1200), 'SELECT id FROM many ORDER BY id LIMIT 1000'],
	['no harm in values', () => things().eq('name', "'; DROP TABLE bazaar.things; --").or(`name.eq."$1') OR true --",name.like."%s\\\\"`), 'SELECT id FROM things WHERE false'],
]

for (const [name, query, wanted] of READS) {
	await test(name, async () => {
		const { error, data, status } = await query()
		assert.equal(error, null, JSON.stringify(error))
		assert.equal(status, 200)
		same(last.text, await rows(wanted))
		assert.deepEqual(data, JSON.parse(last.text))
		assert.equal(last.headers.get('content-type'), 'application/json; charset=utf-8')
		const first = Number(new URLSearchParams(query().url.search).get('offset') ?? 0)
		assert.equal(last.headers.get('content-range'), data.length ? `${first}-${first + data.length - 1}/*` : '*/*')
	})
}

//
// Functions, through the client: the call, and its SQL as JSON
//

const time = text => sql(`SELECT to_json((${text})::timestamptz)#>>'{}'`)
const hour_ago = await time("now() - interval '1 hour'")
const now = await time('now()')

const CALLS = [
	['price', o => api.rpc('price', { symbol: 'BTC' }, o), "SELECT to_json(crypto_price('BTC'))"],
	['price, by identity', o => api.rpc('price', { symbol: 'id:bitcoin' }, o), "SELECT to_json(crypto_price('BTC'))"],
	['price of an unknown coin', o => api.rpc('price', { symbol: 'NO SUCH, (coin)' }, o), "SELECT 'null'"],
	['convert', o => api.rpc('convert', { amount: '1.50', from: 'BTC', to: 'ETH' }, o), "SELECT to_json(crypto_convert(1.50, 'BTC', 'ETH'))"],
	['quote', o => api.rpc('quote', { symbol: 'eth' }, o), "SELECT json_agg(q) FROM crypto_quote('ETH') q"],
	['quote of an unknown coin', o => api.rpc('quote', { symbol: 'NOSUCH' }, o), "SELECT '[]'"],
	['quote, some of it', o => api.rpc('quote', { symbol: 'ETH' }, o).select('name,cost:price::text'), "SELECT json_agg(q) FROM (SELECT name, price::text AS cost FROM crypto_quote('ETH')) q"],
	['quotes, with a default', o => api.rpc('quotes', {}, o).select('symbol').order('symbol').order('nameid').limit(5), 'SELECT json_agg(q) FROM (SELECT symbol FROM crypto_quotes() ORDER BY symbol, nameid LIMIT 5) q'],
	['quotes, filtered, ordered and cut', o => api.rpc('quotes', { max_rank: 100 }, o).select('symbol,rank').gt('change_24h', 0).not('rank', 'in', '(1,2)').order('rank', { ascending: false }).range(1, 3),
		'SELECT json_agg(q) FROM (SELECT symbol, rank FROM crypto_quotes(100) WHERE change_24h > 0 AND rank NOT IN (1, 2) ORDER BY rank DESC LIMIT 3 OFFSET 1) q'],
	['price_at', o => api.rpc('price_at', { symbol: 'BTC', at: hour_ago }, o), `SELECT to_json(crypto_price_at('BTC', '${hour_ago}'))`],
	['history', o => api.rpc('history', { symbol: 'BTC', since: hour_ago, until: now }, o).order('time', { ascending: false }).limit(20),
		`SELECT json_agg(q) FROM (SELECT * FROM crypto_history('BTC', '${hour_ago}', '${now}') ORDER BY time DESC LIMIT 20) q`],
	['candles', o => api.rpc('candles', { symbol: 'ETH', resolution: '5 minutes', since: hour_ago, until: now, fill: true }, o),
		`SELECT json_agg(q) FROM crypto_candles('ETH', '5 minutes', '${hour_ago}', '${now}', true) q`],
	['a scalar', o => bazaar.rpc('add_them', { a: 1, b: 2 }, o), "SELECT '3'"],
	['a default', o => bazaar.rpc('defaults', { a: 4 }, o), "SELECT '42'"],
	['a set of rows', o => bazaar.rpc('things_above', { min: 4 }, o).select('id,n').lt('id', 8).or('flag.is.null,n.eq.0').order('id', { ascending: false }),
		'SELECT json_agg(q) FROM (SELECT id, n FROM things WHERE id > 4 AND id < 8 AND (flag IS NULL OR n = 0) ORDER BY id DESC) q'],
	['one row', o => bazaar.rpc('one_thing', { which: 2 }, o), 'SELECT row_to_json(t) FROM things t WHERE id = 2'],
	['a table', o => bazaar.rpc('pairs', {}, o).select('id,pair->y').gt('pair->x', 0).order('id'),
		"SELECT json_agg(q) FROM (SELECT id, to_jsonb(pair)->'y' AS y FROM pairs() WHERE (pair).x > 0 ORDER BY id) q"],
	['a set of scalars', o => bazaar.rpc('names', {}, o), 'SELECT json_agg(name ORDER BY id) FROM things'],
	['an array', o => bazaar.rpc('plus_one', { arr: [1, 2, 3] }, o), "SELECT '[2,3,4]'"],
	['JSON', o => bazaar.rpc('object', {}, o), `SELECT '{"a": [1, 2.50, null]}'`],
	['names in capitals', o => bazaar.rpc('Mixed Case', { 'The Arg': 'it' }, o), `SELECT '"got it"'`],
	['overloaded, one argument', o => bazaar.rpc('overloaded', { a: 1 }, o), `SELECT '"one"'`],
	['overloaded, two arguments', o => bazaar.rpc('overloaded', { b: 1, a: 1 }, o), `SELECT '"two"'`],
	['who calls', o => bazaar.rpc('whoami', {}, o), `SELECT '"crypto_rt_anon"'`],
]

for (const [name, call, wanted] of CALLS) {
	for (const get of [true, false]) {
		await test(`rpc: ${name} (${get ? 'GET' : 'POST'})`, async () => {
			const { error, data, status } = await call({ get })
			assert.equal(error, null, JSON.stringify(error))
			assert.equal(status, 200)
			same(last.text, await sql(wanted))
			assert.deepEqual(data, JSON.parse(last.text))
		})
	}
}

await test('rpc: what belongs to a request', async () => {
	await bazaar.rpc('request', {}, { get: true })
	same(last.text, '[{"method":"GET","path":"/rpc/request","read_only":"on"}]')
	await bazaar.rpc('request')
	same(last.text, '[{"method":"POST","path":"/rpc/request","read_only":"on"}]')
})
await test('rpc: variadic', async () => {
	same((await ask('GET', '/rpc/total?v=1&v=2&v=3', things_profile)).text, '6')
	await bazaar.rpc('total', { v: [1, 2, 39] })
	same(last.text, '42')
})
await test('rpc: one argument without a name', async () => {
	await bazaar.rpc('multiply', { x: 6, y: 7 })
	same(last.text, '42')
	same((await ask('POST', '/rpc/shout', { 'Content-Profile': 'bazaar', 'Content-Type': 'text/plain' }, 'ho "x"')).text, '"HO \\"X\\""')
})
await test('rpc: nothing', async () => {
	const { error, data, status } = await bazaar.rpc('nothing')
	assert.deepEqual({ error, data, status }, { error: null, data: null, status: 204 })
})

//
// The client's other ways
//

await test('single', async () => {
	const { data } = await api.from('tickers').select('symbol,price').eq('symbol', 'BTC').single().throwOnError()
	assert.equal(data.symbol, 'BTC')
	same(last.text, await sql("SELECT row_to_json(t) FROM (SELECT symbol, price FROM crypto_rt_api.tickers WHERE symbol = 'BTC') t"))
	assert.equal(last.headers.get('content-type'), `${SINGLE}; charset=utf-8`)
})
await test('single, where there is none', async () => {
	const { error, status } = await things().eq('id', 99).single()
	assert.equal(status, 406)
	is_error(JSON.stringify(error), 'PGRST116', /The result contains 0 rows/)
})
await test('single, where there are more', async () => {
	const { error, status } = await things().lt('id', 4).single()
	assert.equal(status, 406)
	is_error(JSON.stringify(error), 'PGRST116', /The result contains 3 rows/)
})
await test('maybeSingle', async () => {
	assert.deepEqual(await things().eq('id', 99).maybeSingle().then(r => [r.data, r.error]), [null, null])
	assert.deepEqual((await things().eq('id', 2).maybeSingle()).data, { id: 2 })
})
await test('single, of a function', async () => {
	assert.equal((await api.rpc('quote', { symbol: 'BTC' }).single()).data.nameid, 'bitcoin')
	assert.equal((await api.rpc('quote', { symbol: 'NOSUCH' }).single()).status, 406)
})
await test('csv', async () => {
	const { data } = await things('id,name,n,flag,tags,at,"a.b"').order('id').not('name', 'like', '%\\\\%').csv()
	const body = await sql(`SELECT string_agg(substring(t::text, 2, length(t::text) - 2), E'\\n')
		FROM (SELECT id, name, n, flag, tags, at, "a.b" FROM things WHERE name NOT LIKE '%\\\\%' ORDER BY id) t`)
	assert.equal(data, `id,name,n,flag,tags,at,a.b\n${body}`)
	assert.equal(last.headers.get('content-type'), 'text/csv; charset=utf-8')
})
await test('csv of a function', async () => {
	assert.equal((await bazaar.rpc('things_above', { min: 6 }, { get: true }).select('id,name').order('id').csv()).data, 'id,name\n7,""\n8,PLAIN')
})
await test('geojson is refused', async () => {
	const { error, status } = await things().geojson()
	assert.equal(status, 406)
	is_error(JSON.stringify(error), 'PGRST107')
})
await test('plans are refused', async () => { assert.equal((await things().explain()).status, 406) })

for (const [kind, wanted] of [['exact', 8], ['planned', 8], ['estimated', 8]]) {
	await test(`count=${kind}`, async () => {
		const all = await things('id', { count: kind }).order('id')
		assert.deepEqual([all.count, all.status, last.headers.get('content-range')], [wanted, 200, '0-7/8'])
		const page = await things('id', { count: kind }).order('id').range(2, 3)
		assert.deepEqual([page.count, page.status, last.headers.get('content-range')], [wanted, 206, '2-3/8'])
		const none = await things('id', { count: kind, head: true })
		assert.deepEqual([none.count, none.data, last.text], [wanted, null, ''])
	})
}
await test('count=exact, of what a filter leaves', async () => {
	const { count: n, status } = await things('id', { count: 'exact' }).is('flag', true)
	assert.deepEqual([n, status], [Number(await sql('SELECT count(*) FROM things WHERE flag')), 200])
})
await test('count=exact, beyond --rest-max-rows', async () => {
	const { count: n, data, status } = await bazaar.from('many').select('id', { count: 'exact' }).order('id')
	assert.deepEqual([n, data.length, status, last.headers.get('content-range')], [1500, 1000, 206, '0-999/1500'])
})
await test('count=estimated, beyond --rest-max-rows', async () => {
	assert.equal((await bazaar.from('many').select('id', { count: 'estimated', head: true })).count, 1500)
})
await test('count of a function', async () => {
	const { count: n, status } = await bazaar.rpc('things_above', { min: 2 }, { get: true, count: 'exact' }).limit(2)
	assert.deepEqual([n, status], [6, 206])
})
await test('count=exact, an offset past the end', async () => {
	const { error, status } = await things('id', { count: 'exact' }).range(100, 101)
	assert.equal(status, 416)
	is_error(JSON.stringify(error), 'PGRST103', /An offset of 100 was requested, but there are only 8 rows/)
	assert.equal(last.headers.get('content-range'), '*/8')
})
await test('writes are refused, and nothing changes', async () => {
	const before = await sql('SELECT md5(string_agg(t::text, $$ $$ ORDER BY id)) FROM things t')
	for (const write of [bazaar.from('things').insert({ id: 100 }), bazaar.from('things').update({ name: 'x' }).eq('id', 1),
		bazaar.from('things').upsert({ id: 1 }), bazaar.from('things').delete().eq('id', 1)]) {
		const { error, status } = await write
		assert.equal(status, 405)
		is_error(JSON.stringify(error), /./)
		assert.match(last.headers.get('allow'), /GET/)
	}
	assert.equal(await sql('SELECT md5(string_agg(t::text, $$ $$ ORDER BY id)) FROM things t'), before)
})
await test('a view that the owner adds, after NOTIFY', async () => {
	assert.equal((await bazaar.from('later').select()).status, 404)
	await sql("CREATE VIEW bazaar.later AS SELECT 1 AS one; GRANT SELECT ON bazaar.later TO crypto_rt_anon; NOTIFY crypto_rt, 'reload schema'")
	const end = Date.now() + 10000
	while ((await bazaar.from('later').select()).status !== 200 && Date.now() < end) await new Promise(again => setTimeout(again, 50))
	same(last.text, '[{"one":1}]')
	await sql("DROP VIEW bazaar.later; NOTIFY crypto_rt, 'reload schema'")
})

//
// By hand: the request, and what comes
//

const R = things_profile
const REPLIES = [
	['Range', 'GET', '/things?select=id&order=id', { ...R, Range: '0-1' }, { status: 200, body: '[{"id":1},{"id":2}]', 'content-range': '0-1/*' }],
	['Range and Range-Unit', 'GET', '/things?select=id&order=id', { ...R, Range: '6-99', 'Range-Unit': 'items' }, { status: 200, body: '[{"id":7},{"id":8}]', 'content-range': '6-7/*' }],
	['an open Range', 'GET', '/things?select=id&order=id', { ...R, Range: '6-' }, { status: 200, body: '[{"id":7},{"id":8}]' }],
	['Range and count', 'GET', '/things?select=id&order=id', { ...R, Range: '0-1', Prefer: 'count=exact' }, { status: 206, 'content-range': '0-1/8' }],
	['Range past the end', 'GET', '/things?select=id', { ...R, Range: '100-199', Prefer: 'count=exact' }, { status: 416, code: 'PGRST103', 'content-range': '*/8' }],
	['Range backwards', 'GET', '/things', { ...R, Range: '1-0' }, { status: 416, code: 'PGRST103' }],
	['limit below zero', 'GET', '/things?limit=-1', R, { status: 416, code: 'PGRST103' }],
	['HEAD', 'HEAD', '/things?select=id&limit=3&offset=2', R, { status: 200, body: '', 'content-range': '2-4/*', 'content-type': 'application/json; charset=utf-8' }],
	['HEAD and count', 'HEAD', '/things', { ...R, Prefer: 'count=exact' }, { status: 200, body: '', 'content-range': '0-7/8' }],
	['HEAD of a function', 'HEAD', '/rpc/things_above?min=6', R, { status: 200, body: '', 'content-range': '0-1/*' }],
	['Range is of GET only', 'POST', '/rpc/things_above?select=id&order=id', { 'Content-Profile': 'bazaar', 'Content-Type': 'application/json', Range: '0-0' }, { status: 200, body: '[{"id":7},{"id":8}]' }, '{"min":6}'],
	['limit, of a call by POST', 'POST', '/rpc/things_above?select=id&order=id&limit=1&offset=1', { 'Content-Profile': 'bazaar', 'Content-Type': 'application/json', Prefer: 'count=exact' },
		{ status: 206, body: '[{"id":8}]', 'content-range': '1-1/2' }, '{"min":6}'],
	['* and nothing asked for', 'GET', '/fast%20things?order=id', R, { status: 200, body: '[{"id":1,"n":0.1},{"id":4,"n":"NaN"},{"id":7,"n":0}]' }],
	['+ is a space', 'GET', '/things?select=id&name=eq.comma,+here', R, { status: 200, body: '[{"id":2}]' }],
	['white space in lists and logic', 'GET', '/things?select=id,%20name&and=(%20and%20(%20id.in.(%201,%202%20)%20,%20id.gt.1)%20,%20id.lt.9%20)', R, { status: 200, body: '[{"id":2,"name":"comma, here"}]' }],
	['not.and', 'GET', '/things?select=id&not.and=(id.gte.2,id.lte.8)', R, { status: 200, body: '[{"id":1}]' }],
	['not.or', 'GET', '/things?select=id&not.or=(id.lt.3,id.gt.3)', R, { status: 200, body: '[{"id":3}]' }],
	['any char may be escaped within quotes', 'GET', '/things?select=id&name=in.("p\\la\\in")', R, { status: 200, body: '[{"id":1}]' }],
	['a lone quote is a value', 'GET', '/things?select=id&name=in.(")', R, { status: 200, body: '[]' }],
	['columns= and on_conflict= are of writes', 'GET', '/things?select=id&id=eq.1&columns=id&on_conflict=id', R, { status: 200, body: '[{"id":1}]' }],

	['Accept: */*', 'GET', '/things?select=id&id=eq.1', { ...R, Accept: '*/*' }, { status: 200, 'content-type': 'application/json; charset=utf-8' }],
	['Accept: the first of two', 'GET', '/things?select=id&id=eq.1', { ...R, Accept: 'text/csv, application/json' }, { status: 200, body: 'id\n1', 'content-type': 'text/csv; charset=utf-8' }],
	['Accept: by quality', 'GET', '/things?select=id&id=eq.1', { ...R, Accept: 'text/csv;q=0.5, application/json' }, { status: 200, body: '[{"id":1}]' }],
	['Accept: one that is unknown beside */*', 'GET', '/things?select=id&id=eq.1', { ...R, Accept: 'text/unknown, */*' }, { status: 200, body: '[{"id":1}]' }],
	['Accept: unknown', 'GET', '/things', { ...R, Accept: 'text/unknown' }, { status: 406, code: 'PGRST107' }],
	['Accept: an object without +json', 'GET', '/things?select=id&id=eq.1', { ...R, Accept: 'application/vnd.pgrst.object' }, { status: 200, body: '{"id":1}', 'content-type': `${SINGLE}; charset=utf-8` }],
	['Accept: an object without its nulls', 'GET', '/things?select=id,flag,mood&id=eq.3', { ...R, Accept: `${SINGLE};nulls=stripped` }, { status: 200, body: '{"id":3,"mood":"sad"}' }],
	['Accept: an array without its nulls', 'GET', '/things?select=id,flag&id=gt.4&order=id', { ...R, Accept: 'application/vnd.pgrst.array+json;nulls=stripped' },
		{ status: 200, body: '[{"id":5,"flag":false},{"id":6},{"id":7,"flag":true},{"id":8,"flag":false}]' }],

	['Prefer: what is unknown', 'GET', '/things?select=id&id=eq.1', { ...R, Prefer: 'foo, bar=1' }, { status: 200 }],
	['Prefer: handling=strict, and what is unknown', 'GET', '/things', { ...R, Prefer: 'handling=strict, foo, bar' }, { status: 400, code: 'PGRST122', details: /foo, bar/ }],
	['Prefer: handling=strict, and what is known', 'GET', '/things?select=id&id=eq.1', { ...R, Prefer: 'handling=strict, count=exact' }, { status: 200, 'preference-applied': /handling=strict/ }],
	['Prefer: timezone', 'GET', '/things?select=at&id=eq.1', { ...R, Prefer: 'timezone=America/Los_Angeles' },
		{ status: 200, body: '[{"at":"2026-01-01T04:00:00-08:00"}]', 'preference-applied': /timezone=America\/Los_Angeles/ }],
	['Prefer: a timezone that is none', 'GET', '/things?select=id&id=eq.1', { ...R, Prefer: 'timezone=Jupiter/Red_Spot' }, { status: 200 }],
	['Prefer: a timezone that is none, strictly', 'GET', '/things', { ...R, Prefer: 'handling=strict, timezone=Jupiter/Red_Spot' }, { status: 400, code: 'PGRST122' }],

	['Accept-Profile that is not exposed', 'GET', '/things', { 'Accept-Profile': 'public' }, { status: 406, code: 'PGRST106' }],
	['a view of another schema', 'GET', '/things', {}, { status: 404, code: /^(PGRST205|42P01)$/ }],
	['Content-Profile of a call', 'POST', '/rpc/add_them', { 'Content-Profile': 'bazaar', 'Content-Type': 'application/json' }, { status: 200, body: '3' }, '{"a":1,"b":2}'],
	['Content-Profile that is not exposed', 'POST', '/rpc/add_them', { 'Content-Profile': 'pg_catalog', 'Content-Type': 'application/json' }, { status: 406, code: 'PGRST106' }, '{"a":1,"b":2}'],

	['an unknown table', 'GET', '/nothing', R, { status: 404, code: /^(PGRST205|42P01)$/ }],
	['an unknown column, selected', 'GET', '/things?select=nothing', R, { status: 400, code: '42703' }],
	['an unknown column, in a filter', 'GET', '/things?nothing=eq.1', R, { status: 400, code: '42703' }],
	['an unknown column, in an order', 'GET', '/things?order=nothing', R, { status: 400, code: '42703' }],
	['an unknown operator', 'GET', '/things?id=foo.1', R, { status: 400, code: 'PGRST100' }],
	['no operator', 'GET', '/things?id=1', R, { status: 400, code: 'PGRST100' }],
	['is, of a word', 'GET', '/things?flag=is.maybe', R, { status: 400, code: 'PGRST100' }],
	['a misspelt order', 'GET', '/things?order=id.descc', R, { status: 400, code: 'PGRST100' }],
	['logic without conditions', 'GET', '/things?or=()', R, { status: 400, code: 'PGRST100' }],
	['logic without an end', 'GET', '/things?or=(id.eq.1', R, { status: 400, code: 'PGRST100' }],
	['a select that is none', 'GET', '/things?select=id,,name', R, { status: 400, code: 'PGRST100' }],
	['aggregates', 'GET', '/things?select=id.sum()', R, { status: 400, code: 'PGRST123' }],
	['related tables', 'GET', '/orders?select=id,things(*)', R, { status: 400, code: 'PGRST200' }],
	['a value of the wrong type', 'GET', '/things?id=eq.abc', R, { status: 400, code: '22P02' }],
	['a value that is too large', 'GET', '/things?id=eq.99999999999', R, { status: 400, code: '22003' }],
	['a time that is none', 'GET', '/things?at=gt.yesterdayish', R, { status: 400, code: '22007' }],
	['a regular expression that is none', 'GET', '/things?name=match.(', R, { status: 400, code: '2201B' }],
	['a text search that is none', 'GET', '/things?ts=fts.a%20%26%20%26', R, { status: 400, code: '42601' }],
	['an operator that the type has not', 'GET', '/things?id=like.1*', R, { status: 404, code: '42883' }],
	['a cast to no type', 'GET', '/things?select=id::nonsense', R, { status: 400, code: '42704' }],
	['a cast that fails', 'GET', '/things?select=name::int', R, { status: 400, code: '22P02' }],
	['a zero byte', 'GET', '/things?name=eq.a%00b', R, { status: 400 }],
	['bytes that are no UTF-8', 'GET', '/things?name=eq.%FF%FE', R, { status: 400, code: /./ }],

	['a table that is not for everybody', 'GET', '/secrets', R, { status: 401, code: '42501', 'www-authenticate': /Bearer/ }],
	['a call that raises', 'GET', '/rpc/refuse', R, { status: 400, body: '{"code":"P0001","message":"I refuse!","details":"Pretty simple","hint":"There is nothing you can do."}' }],
	['a call that raises with a status', 'GET', '/rpc/teapot', R, { status: 418, body: '{"code":"PT418","message":"I am a teapot","details":"Short and stout","hint":"Tip me over"}' }],
	['a call that would write', 'POST', '/rpc/write', { 'Content-Profile': 'bazaar', 'Content-Type': 'application/json' }, { status: 404, code: 'PGRST202' }, '{}'],
	['a call that says it would not, and does', 'GET', '/rpc/lies', R, { status: 405, code: '25006' }],
	['an unknown function', 'GET', '/rpc/add_the?a=1&b=2', R, { status: 404, code: 'PGRST202', hint: /add_them/ }],
	['an unknown argument', 'GET', '/rpc/add_them?a=1&b=2&c=3', R, { status: 404, code: 'PGRST202', hint: /add_them/ }],
	['an argument too few', 'GET', '/rpc/add_them?a=1', R, { status: 404, code: 'PGRST202' }],
	['an argument of the wrong type', 'GET', '/rpc/add_them?a=x&b=2', R, { status: 400, code: '22P02' }],
	['an ambiguous call', 'GET', '/rpc/ambiguous?a=1', R, { status: 300, code: 'PGRST203' }],
	['a body that is no JSON', 'POST', '/rpc/add_them', { 'Content-Profile': 'bazaar', 'Content-Type': 'application/json' }, { status: 400, code: 'PGRST102' }, '{"a":'],
	['a body as a form', 'POST', '/rpc/add_them', { 'Content-Profile': 'bazaar', 'Content-Type': 'application/x-www-form-urlencoded' }, { status: 200, body: '42' }, 'a=40&b=2'],
	['PUT of a function', 'PUT', '/rpc/add_them', { 'Content-Profile': 'bazaar' }, { status: 405, code: 'PGRST101', allow: /GET/ }, '{}'],
	['DELETE of a function', 'DELETE', '/rpc/add_them', { 'Content-Profile': 'bazaar' }, { status: 405, code: 'PGRST101', allow: /POST/ }],
	...['POST', 'PATCH', 'PUT', 'DELETE'].map(method =>
		[`${method} of a table`, method, '/things?id=eq.1', { 'Content-Profile': 'bazaar', 'Content-Type': 'application/json' }, { status: 405, code: /./, allow: /GET.*HEAD|HEAD.*GET/ }, method === 'DELETE' ? undefined : '{"id":1}']),
	['OPTIONS of a table', 'OPTIONS', '/things', { ...R, Origin: 'https://example.com', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization,accept-profile,prefer' },
		{ status: /^20[04]$/, 'access-control-allow-origin': /./, 'access-control-allow-headers': /authorization/i }],
	['replies can be read by pages', 'GET', '/things?limit=1', { ...R, Origin: 'https://example.com' }, { status: 200, 'access-control-allow-origin': /./, 'access-control-expose-headers': /content-range/i }],
	['deeper paths', 'GET', '/things/1', R, { status: 404, code: /./ }],
]

for (const [name, method, path, headers, wanted, body] of REPLIES) {
	await test(`${name}: ${method} ${path}`, async () => {
		const reply = await ask(method, path, headers, body)
		const { status, body: text, code, details, hint, ...others } = wanted
		assert.match(String(reply.status), status instanceof RegExp ? status : new RegExp(`^${status}$`), reply.text)
		if (code) {
			const error = is_error(reply.text, code, details)
			if (hint) assert.match(String(error.hint), hint)
			assert.match(reply.headers['content-type'], /^application\/json/)
		}
		if (text !== undefined) {
			if (/^[{[\d]/.test(text)) same(reply.text, text)
			else assert.equal(reply.text, text)
		}
		for (const [header, value] of Object.entries(others)) {
			if (value instanceof RegExp) assert.match(String(reply.headers[header]), value, header)
			else assert.equal(reply.headers[header], value, header)
		}
	})
}

//
// Tokens
//

const base64 = data => Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64url')
const hmac = (text, key = config.secret, hash = 'sha256') => crypto.createHmac(hash, key).update(text).digest('base64url')
const rsa = text => crypto.sign('sha256', Buffer.from(text), fs.readFileSync(config.private_key)).toString('base64url')
const token = (claims, alg = 'HS256', sign = hmac) => {
	const text = `${base64({ alg, typ: 'JWT' })}.${base64(claims)}`
	return `${text}.${sign(text)}`
}
const seconds = Math.floor(Date.now() / 1000)
const trader = more => ({ role: 'trader', sub: 'ann', ...more })
const with_token = (value, path = '/rpc/whoami', base) => ask('GET', path, { ...R, Authorization: `Bearer ${value}` }, undefined, base)

const other = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const TOKENS = [
	// daemon, name, token, status, who
	['shared', 'HS256', () => token(trader()), 200, 'trader'],
	['shared', 'a time still to come', () => token(trader({ exp: seconds + 60, nbf: seconds - 60, iat: seconds - 60 })), 200, 'trader'],
	['shared', 'expired a moment ago', () => token(trader({ exp: seconds - 5 })), 200, 'trader'],
	['shared', 'no role', () => token({ sub: 'ann' }), 200, 'crypto_rt_anon'],
	['shared', 'an audience that nobody asks for', () => token(trader({ aud: 'anybody' })), 200, 'trader'],
	['shared', 'expired', () => token(trader({ exp: seconds - 120 })), 401],
	['shared', 'not yet', () => token(trader({ nbf: seconds + 120 })), 401],
	['shared', 'issued in the future', () => token(trader({ iat: seconds + 120 })), 401],
	['shared', 'a time that is none', () => token(trader({ exp: 'soon' })), 401],
	['shared', 'forged', () => token(trader(), 'HS256', text => hmac(text, 'another secret that is long enough')), 401],
	['shared', 'changed', () => token(trader()).replace(/\.[^.]+\./, `.${base64({ role: 'postgres' })}.`), 401],
	['shared', 'cut', () => token(trader()).slice(0, -2), 401],
	['shared', 'without a signature', () => token(trader(), 'HS256', () => ''), 401],
	['shared', 'alg none', () => token(trader(), 'none', () => ''), 401],
	['shared', 'alg NoNe, signed', () => token(trader(), 'NoNe'), 401],
	['shared', 'alg HS512', () => token(trader(), 'HS512', text => hmac(text, config.secret, 'sha512')), 401],
	['shared', 'alg RS256', () => token(trader(), 'RS256', rsa), 401],
	['shared', 'nonsense', () => 'a.b.c', 401],
	['shared', 'one part', () => 'abc', 401],
	['shared', 'empty', () => '', 401],
	['shared', 'long', () => 'x'.repeat(5000), 401],
	['shared', 'a role that may not be taken', () => token({ role: 'stranger' }), 403],
	['shared', 'the superuser', () => token({ role: 'postgres' }), 403],
	['shared', 'a role with quotes', () => token({ role: 'trader"; RESET ROLE; --' }), /^4/],
	['public', 'RS256', () => token(trader({ aud: 'bazaar' }), 'RS256', rsa), 200, 'trader'],
	['public', 'several audiences', () => token(trader({ aud: ['other', 'bazaar'] }), 'RS256', rsa), 200, 'trader'],
	['public', 'no audience', () => token(trader(), 'RS256', rsa), 200, 'trader'],
	['public', 'another audience', () => token(trader({ aud: 'other' }), 'RS256', rsa), 401],
	['public', 'other audiences', () => token(trader({ aud: ['other', 'bazaa'] }), 'RS256', rsa), 401],
	['public', 'an audience that is no text', () => token(trader({ aud: 1 }), 'RS256', rsa), 401],
	['public', 'expired', () => token(trader({ exp: seconds - 120 }), 'RS256', rsa), 401],
	['public', 'another key', () => token(trader(), 'RS256', text => crypto.sign('sha256', Buffer.from(text), other).toString('base64url')), 401],
	['public', 'HS256 with the public key', () => token(trader(), 'HS256', text => hmac(text, fs.readFileSync(config.public_key))), 401],
	['public', 'alg none', () => token(trader(), 'none', () => ''), 401],
	['plain', 'no secret to tell by', () => token(trader()), /^(401|500)$/],
]

for (const [daemon, name, make, status, who] of TOKENS) {
	await test(`a token to the daemon "${daemon}": ${name}`, async () => {
		const reply = await with_token(make(), '/rpc/whoami', config[daemon])
		assert.match(String(reply.status), status instanceof RegExp ? status : new RegExp(`^${status}$`), reply.text)
		if (who) same(reply.text, JSON.stringify(who))
		if (status === 401) {
			is_error(reply.text, /^PGRST30\d$/)
			assert.match(reply.headers['www-authenticate'], /^Bearer/)
		}
	})
}
await test('a token: the claims are the request\'s', async () => {
	same((await with_token(token(trader({ n: 1.50, deep: { a: ['"', '😀'] } })), '/rpc/claims')).text, '{"role":"trader","sub":"ann","n":1.5,"deep":{"a":["\\"","😀"]}}')
})
await test('a token: policies go by it', async () => {
	const ann = client(config.shared, { Authorization: `Bearer ${token(trader())}` }).schema('bazaar')
	assert.deepEqual((await ann.from('orders').select('id').order('id')).data, [{ id: 1 }, { id: 3 }])
	assert.deepEqual((await bazaar.from('orders').select('id')).data, [])
})
await test('a token: what a role may, and what it may not', async () => {
	assert.equal((await with_token(token(trader()), '/secrets')).status, 200)
	await sql('REVOKE SELECT ON bazaar.empty FROM trader')
	const { status, text } = await with_token(token(trader()), '/empty')
	assert.equal(status, 403)
	is_error(text, '42501')
})
await test('a token: "bearer" in any case, and another scheme', async () => {
	same((await ask('GET', '/rpc/whoami', { ...R, Authorization: `bearer ${token(trader())}` })).text, '"trader"')
	same((await ask('GET', '/rpc/whoami', { ...R, Authorization: 'Basic YTpi' })).text, '"crypto_rt_anon"')
})
await test('a token is of one request', async () => {
	const who = await Promise.all(Array.from({ length: 60 }, (_, i) =>
		(i % 3 ? ask('GET', '/rpc/whoami', R) : with_token(token(trader()))).then(reply => reply.text)))
	assert.deepEqual(who, who.map((_, i) => i % 3 ? '"crypto_rt_anon"' : '"trader"'))
	const claims = await Promise.all(Array.from({ length: 20 }, () => ask('GET', '/rpc/claims', R).then(reply => reply.text)))
	assert.ok(claims.every(text => !/ann/.test(text)), claims[0])
})
await test('a setting is of one request', async () => {
	await ask('GET', '/things?select=at&id=eq.1', { ...R, Prefer: 'timezone=America/Los_Angeles' })
	const times = await Promise.all(Array.from({ length: 10 }, () => ask('GET', '/things?select=at&id=eq.1', R).then(reply => reply.text)))
	const wanted = await rows('SELECT at FROM things WHERE id = 1')
	for (const text of times) same(text, wanted)
})
await test('--rest-max-rows', async () => {
	const { data, count: n, status } = await client(config.public).schema('bazaar').from('things').select('id', { count: 'exact' }).order('id')
	assert.deepEqual([data, n, status], [[{ id: 1 }, { id: 2 }, { id: 3 }], 8, 206])
})

//
// OpenAPI
//

async function openapi(headers) {
	const { status, text, headers: got } = await ask('GET', '/', headers)
	assert.equal(status, 200, text)
	assert.match(got['content-type'], /^application\/openapi\+json/)
	const api = JSON.parse(text)
	const { valid, errors } = await new Validator().validate(JSON.parse(text))
	assert.ok(valid, JSON.stringify(errors, null, 1))
	assert.equal(api.swagger, '2.0')
	return api
}

await test('OpenAPI: crypto_rt_api is valid and complete', async () => {
	const { info, paths, definitions } = await openapi({})
	assert.equal(info.title, 'Real-time cryptocurrency prices')
	assert.match(info.description, /exact decimals/)
	const relations = JSON.parse(await sql("SELECT json_agg(relname ORDER BY relname) FROM pg_class WHERE relnamespace = 'crypto_rt_api'::regnamespace AND relkind = 'v'"))
	const functions = JSON.parse(await sql("SELECT json_agg('rpc/' || proname ORDER BY proname) FROM pg_proc WHERE pronamespace = 'crypto_rt_api'::regnamespace"))
	assert.deepEqual(Object.keys(paths).filter(path => path !== '/').sort(), [...relations, ...functions].map(name => `/${name}`).sort())
	assert.deepEqual(Object.keys(definitions).sort(), relations)
	for (const name of relations) {
		assert.deepEqual(Object.keys(definitions[name].properties), JSON.parse(await sql(`SELECT json_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'crypto_rt_api.${name}'::regclass`)))
		for (const [column, { description, type, format }] of Object.entries(definitions[name].properties)) {
			assert.ok(description, `${name}.${column} is described`)
			assert.ok(type ?? format, `${name}.${column} has a type`)
		}
		assert.deepEqual(Object.keys(paths[`/${name}`]), ['get'], `${name} is only read`)
	}
	assert.equal(definitions.tickers.properties.price.format, 'numeric')
	assert.equal(definitions.tickers.properties.price.type, 'number')
	assert.equal(definitions.status.properties.problems.type, 'array')
	assert.deepEqual(definitions.candles.properties.resolution.enum, ['1m', '1h', '1d'])
	assert.match(paths['/tickers'].get.summary, /newest quote/)
	assert.match(JSON.stringify(paths['/rpc/convert']), /"amount"/)
})
await test('OpenAPI: a schema of the owner\'s, with odd names', async () => {
	const { info, paths, definitions } = await openapi(R)
	assert.equal(info.title, 'The bazaar')
	assert.deepEqual(Object.keys(definitions.things.properties).sort(), JSON.parse(await sql("SELECT json_agg(attname) FROM pg_attribute WHERE attrelid = 'bazaar.things'::regclass AND attnum > 0")).sort())
	assert.match(definitions.things.properties.n.description, /A number, exactly/)
	assert.ok(definitions['😀 view, (odd)'])
	assert.ok(!('/rpc/write' in paths), 'nothing that writes')
})
await test('OpenAPI: what one may see', async () => {
	assert.ok(!('/secrets' in (await openapi(R)).paths))
	assert.ok('/secrets' in (await openapi({ ...R, Authorization: `Bearer ${token(trader())}` })).paths)
})
await test('OpenAPI: HEAD, and other methods', async () => {
	assert.deepEqual(await ask('HEAD', '/').then(r => [r.status, r.text]), [200, ''])
	assert.equal((await ask('POST', '/', { 'Content-Type': 'application/json' }, '{}')).status, 405)
})

console.log(`1..${count}`)
psql.stdin.end()
