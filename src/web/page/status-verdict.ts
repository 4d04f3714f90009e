// Whether all is well, in words: what is wrong, how bad that is, and what to do about it. The rules of one answer of /stats; no React.
import { formatAge } from 'crypto-rt-react'
import { num, row, rows, seconds, span, text, there, waiting, type Row } from './status-data'

export interface Finding {
	/** bad: prices are wrong, old or absent; warn: something else does not work; note: to be known, nothing to be done */
	level: 'bad' | 'warn' | 'note'
	what: string
	todo?: string
}

const delayed = 30 // s, beyond which the market counts as delayed
const slow = 1.5 // an interval achieved is late when it is that many times what is allowed
const manyBehind = 20_000 // ticks that wait for the recorder

export const plural = (n: number, word: string): string => `${n.toLocaleString('en-US')} ${word}${n === 1 ? '' : 's'}`

/** @param failed requests answered with 5xx within the last minute */
export function judge(stats: Row, failed: number): Finding[] {
	return [...ofPrices(stats), ...ofFeeds(stats), ...ofServer(stats), ...ofTiers(stats), ...ofDaemon(stats, failed)]
}

export function worst(findings: readonly Finding[]): 'bad' | 'warn' | 'well' {
	return findings.some(it => it.level === 'bad') ? 'bad' : findings.some(it => it.level === 'warn') ? 'warn' : 'well'
}

function ofPrices(stats: Row): Finding[] {
	const found: Finding[] = []
	const [coins, age, stale] = [num(stats['total_coins']), num(stats['age_seconds']), num(stats['stale_coins'])]
	if (coins === 0 || coins === null)
		found.push({
			level: 'bad', what: 'There are no prices.',
			todo: 'See the feed below: the daemon needs Redis or PostgreSQL, with crypto_rt running.'
		})
	else if (age === null || age > delayed)
		found.push({
			level: 'bad', what: `The newest price is ${formatAge(age)} old.`,
			todo: 'See PostgreSQL below: either polling has stopped, or the way from it to the daemon is broken.'
		})
	else if (stale !== null && stale > coins / 20)
		found.push({
			level: 'warn', what: `${plural(stale, 'coin')} of ${coins.toLocaleString('en-US')} are stale.`,
			todo: 'Look for the tier that is late. Coins that have just been taken off CoinLore’s list are stale too.'
		})
	if (stats['simulated'] === true) found.push({ level: 'note', what: 'Prices are simulated.' })
	return found
}

function ofFeeds(stats: Row): Finding[] {
	const feed = row(stats['feed'])
	const found: Finding[] = []
	const names: Record<string, [string, string]> = {
		redis: ['Redis', 'Start Redis again, or check --redis. The daemon tries again by itself.'],
		postgres: ['PostgreSQL', 'Start PostgreSQL, or check --database. The daemon tries again by itself.']
	}
	for (const [key, [name, todo]] of Object.entries(names)) {
		const problem = text(row(feed[key])['problem'])
		if (problem !== null) found.push({ level: 'warn', what: `The daemon’s feed from ${name}: ${problem}.`, todo })
	}
	return found
}

function ofServer(stats: Row): Finding[] {
	if (!('server' in stats)) return []
	if (!there(stats['server']))
		return [{ level: 'note', what: 'The daemon has no database: there are no candles, and nothing is known of PostgreSQL.' }]
	const server = row(stats['server'])
	const found: Finding[] = []
	const problem = text(server['problem'])
	if (waiting(server)) return []
	if (problem !== null)
		found.push({
			level: 'warn', what: `PostgreSQL could not be asked: ${problem}.`,
			todo: 'Check that it runs and that --database is right. Prices go on by Redis.'
		})
	const status = row(server['status'])
	const state = text(status['state'])
	if (state === 'paused') found.push({ level: 'warn', what: 'Polling is paused.', todo: 'SELECT crypto_resume();' })
	if (state === 'waiting for the extension')
		found.push({
			level: 'bad', what: 'Nothing is polled: the extension is not there.',
			todo: `CREATE EXTENSION crypto_rt; in database ${text(status['database']) ?? 'crypto_rt.database'}.`
		})
	if (state === 'starting') found.push({ level: 'note', what: 'PostgreSQL has just started polling.' })
	const problems: [string, string, string][] = [
		['feed_problem', 'CoinLore', 'It goes on by itself once CoinLore answers. See crypto_rt.source_url and the server’s log if it does not.'],
		['redis_problem', 'From PostgreSQL to Redis', 'Start Redis, or check crypto_rt.redis_url. Everything is written anew afterwards.'],
		['recorder_problem', 'History', 'Free what holds it up (a lock, a full disk, an upgrade not finished): ticks wait in memory for some minutes.'],
		['launcher_problem', 'Workers', 'See max_worker_processes and crypto_rt.database, and the server’s log.']
	]
	for (const [key, name, todo] of problems) {
		const said = text(status[key])
		if (said !== null) found.push({ level: key === 'feed_problem' ? 'bad' : 'warn', what: `${name}: ${said}.`, todo })
	}
	const [lost, behind] = [num(status['ticks_lost']), num(status['ticks_behind'])]
	if (lost !== null && lost > 0)
		found.push({
			level: 'warn', what: `${plural(lost, 'tick')} did not get into the history since PostgreSQL started.`,
			todo: 'The recorder was held up for longer than its memory lasts. Prices are not touched by it.'
		})
	if (behind !== null && behind > manyBehind)
		found.push({ level: 'warn', what: `${plural(behind, 'tick')} wait to be recorded.`, todo: 'The disk is slow, or a table is locked.' })
	return found
}

function ofTiers(stats: Row): Finding[] {
	const found: Finding[] = []
	for (const tier of rows(row(stats['server'])['tiers'])) {
		const name = text(tier['tier']) ?? 'A tier'
		const [asked, allowed, achieved] = [seconds(tier['interval_asked']), seconds(tier['interval_allowed']), seconds(tier['interval_achieved'])]
		const due = allowed ?? asked
		if (due !== null && achieved !== null && achieved > due * slow)
			found.push({
				level: 'warn', what: `${name} is polled every ${span(achieved)} instead of ${span(due)}.`,
				todo: 'CoinLore is slow or refuses; see its problem and the failed polls.'
			})
		else if (asked !== null && allowed !== null && allowed > asked * 1.01)
			found.push({
				level: 'note', what: `${name} is asked for every ${span(asked)}; the rate limit allows ${span(allowed)}.`,
				todo: 'Raise crypto_rt.max_requests_per_second, or ask for longer intervals.'
			})
	}
	return found
}

function ofDaemon(stats: Row, failed: number): Finding[] {
	// without a database each question for candles is a failure, which is nothing new
	if (failed === 0 || !there(stats['server'])) return []
	return [{
		level: 'warn', what: `${plural(failed, 'request')} of the last minute failed by the daemon’s fault (5xx).`,
		todo: 'See its log: which, and why.'
	}]
}
