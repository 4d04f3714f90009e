// The tables and lists of the status view: tiers, PostgreSQL, feeds, streams, the daemon itself. They show what there is and judge nothing.
import type { ReactNode } from 'react'
import { formatAge } from 'crypto-rt-react'
import { bytes, count, num, rate, row, rows, seconds, span, text, there, waiting, type Row } from './status-data'

export function Card({ title, children, wide }: { title: string; children: ReactNode; wide?: boolean }) {
	const id = `status-${title.toLowerCase().replace(/\W+/g, '-')}`
	return (
		<section className={`panel status-card${wide ? ' status-wide' : ''}`} aria-labelledby={id}>
			<h2 id={id}>{title}</h2>
			{children}
		</section>
	)
}

function Pairs({ pairs }: { pairs: readonly (readonly [string, ReactNode])[] }) {
	return <dl className="status-pairs">{pairs.map(([label, value]) => <div key={label}><dt>{label}</dt><dd>{value}</dd></div>)}</dl>
}

function Scroll({ label, children }: { label: string; children: ReactNode }) {
	return <div className="scroll-x" role="region" aria-label={label} tabIndex={0}>{children}</div>
}

const since = (x: unknown): string => {
	const at = Date.parse(text(x) ?? '')
	return Number.isNaN(at) ? '–' : `${formatAge(Math.max(0, (Date.now() - at) / 1000))} ago`
}

const Mark = ({ on, yes, no }: { on: boolean; yes: string; no: string }) => <span className={on ? 'mark-on' : 'mark-off'}>{on ? yes : no}</span>

/** One row per tier: what PostgreSQL polls, and how old the prices are that the daemon has of it. */
export function Tiers({ stats }: { stats: Row }) {
	const polled = rows(row(stats['server'])['tiers'])
	const held = rows(stats['tiers'])
	const names = [...new Set([...polled, ...held].map(it => text(it['tier'])).filter(it => it !== null))]
	if (names.length === 0) return <p className="status-none">No tier is known yet.</p>
	return (
		<Scroll label="Table of tiers">
			<table className="figures">
				<caption>
					{polled.length > 0
						? 'Intervals and polls are PostgreSQL’s, ages those of the daemon’s prices'
						: 'Ages of the daemon’s prices; PostgreSQL’s side is not known'}
				</caption>
				<thead>
					<tr>
						<th scope="col">Tier</th><th scope="col">Ranks</th><th scope="col">Coins</th><th scope="col">Asked</th><th scope="col">Allowed</th>
						<th scope="col">Achieved</th><th scope="col">Polls</th><th scope="col">Late</th><th scope="col">Failed</th><th scope="col">Freshest</th>
						<th scope="col">Oldest</th>
					</tr>
				</thead>
				<tbody>
					{names.map(name => {
						const p = polled.find(it => it['tier'] === name) ?? {}
						const h = held.find(it => it['tier'] === name) ?? {}
						const asked = seconds(p['interval_asked']) ?? num(h['interval'])
						const [allowed, achieved] = [seconds(p['interval_allowed']), seconds(p['interval_achieved'])]
						const due = allowed ?? asked
						const ttl = seconds(p['ttl'])
						const oldest = num(h['oldest_age_seconds'])
						return (
							<tr key={name}>
								<th scope="row">{name}</th>
								<td>{there(p['first_rank']) ? `${count(p['first_rank'])}–${there(p['last_rank']) ? count(p['last_rank']) : ''}` : '–'}</td>
								<td>{count(h['coins'] ?? p['coins'])}</td>
								<td>{span(asked)}</td>
								<td>{span(allowed)}</td>
								<Warned when={due !== null && achieved !== null && achieved > due * 1.5}>{span(achieved)}</Warned>
								<td>{count(p['polls'])}</td>
								<Warned when={(num(p['late']) ?? 0) > (num(p['polls']) ?? 0) / 10}>{count(p['late'])}</Warned>
								<Warned when={(num(p['failed']) ?? 0) > (num(p['polls']) ?? 0) / 10}>{count(p['failed'])}</Warned>
								<td>{formatAge(num(h['freshest_age_seconds']))}</td>
								<Warned when={ttl !== null && oldest !== null && oldest > ttl}>{formatAge(oldest)}</Warned>
							</tr>
						)
					})}
				</tbody>
			</table>
		</Scroll>
	)
}

function Warned({ when, children }: { when: boolean; children: ReactNode }) {
	if (!when) return <td>{children}</td>
	return <td className="warn">{children}<span aria-hidden="true"> !</span><span className="hidden"> (beyond what is due)</span></td>
}

/** One line when there are none. */
function problems(server: Row, status: Row): [string, ReactNode][] {
	const all = [
		['Problem asking', waiting(server) ? null : server['problem']],
		['Problem, CoinLore', status['feed_problem']],
		['Problem, Redis', status['redis_problem']],
		['Problem, history', status['recorder_problem']],
		['Problem, workers', status['launcher_problem']]
	] as const
	const said = all.filter(([, problem]) => text(problem) !== null)
	if (said.length === 0) return [['Problems', there(server['status']) ? 'none' : '–']]
	return said.map(([label, problem]) => [label, <span className="warn">{text(problem)}</span>])
}

export function Server({ stats }: { stats: Row }) {
	if (!there(stats['server']))
		return <p className="status-none">{'server' in stats ? 'The daemon has no database (--database).' : 'This daemon does not tell.'}</p>
	const server = row(stats['server'])
	const status = row(server['status'])
	const age = num(server['age_seconds'])
	return (
		<Pairs pairs={[
			['State', text(status['state']) ?? '–'],
			['Asked', age === null ? 'not yet' : `${formatAge(age)} ago`],
			['Database', text(status['database']) ?? '–'],
			['Source', text(status['source']) ?? '–'],
			['Coins, active', `${count(status['coins'])}, ${count(status['active_coins'])}`],
			['Requests to CoinLore', num(status['requests_per_second']) === null ? '–' : `${rate(num(status['requests_per_second']))} a second`],
			['Pages fetched, failed', `${count(status['pages_fetched'])}, ${count(status['pages_failed'])}`],
			['Rows rejected', count(status['rows_rejected'])],
			['Last poll', since(status['last_poll'])],
			['Last sweep', since(status['last_sweep'])],
			['Redis', there(status['redis_connected']) ? <Mark on={status['redis_connected'] === true} yes="connected" no="not connected" /> : '–'],
			['Ticks waiting, lost', `${count(status['ticks_behind'])}, ${count(status['ticks_lost'])}`],
			['Last commit', since(status['last_flush'])],
			...problems(server, status)
		]} />
	)
}

const feedRows: readonly [string, string][] = [
	['connects', 'Connects'], ['rereads', 'Read anew'], ['gaps', 'Gaps'], ['refused', 'Quotes refused']
]

const feedNames: Record<string, string> = { redis: 'Redis', postgres: 'PostgreSQL', postgresql: 'PostgreSQL' }

export function Feeds({ stats }: { stats: Row }) {
	const feed = row(stats['feed'])
	const both = [row(feed['redis']), row(feed['postgres'])]
	const source = text(stats['source'])
	return (
		<>
			<Scroll label="Table of feeds">
				<table className="figures">
					<caption>{source === null ? 'No prices have come yet' : `Prices come from ${feedNames[source] ?? source}`}</caption>
					<thead>
						<tr><td /><th scope="col">Redis</th><th scope="col">PostgreSQL</th></tr>
					</thead>
					<tbody>
						<tr>
							<th scope="row">State</th>
							{both.map((it, i) => (
								<td key={i}>
									{it['ready'] !== true && !num(it['connects']) && text(it['problem']) === null
										? <span className="muted">not in use</span>
										: <Mark on={it['ready'] === true} yes="ready" no="not ready" />}
								</td>
							))}
						</tr>
						{feedRows.map(([key, label]) => (
							<tr key={key}><th scope="row">{label}</th>{both.map((it, i) => <td key={i}>{count(it[key])}</td>)}</tr>
						))}
					</tbody>
				</table>
			</Scroll>
			{both.map((it, i) => text(it['problem']) !== null && (
				<p key={i} className="warn status-said">{i ? 'PostgreSQL' : 'Redis'}: {text(it['problem'])}</p>
			))}
		</>
	)
}

export function Streams({ stats }: { stats: Row }) {
	const it = row(stats['streams'])
	return (
		<Pairs pairs={[
			['Open', count(it['open'])],
			['Subscriptions', count(it['subscriptions'])],
			['Opened since start', count(it['opened'])],
			['Frames sent', count(it['frames'])],
			['Bytes sent', bytes(num(it['bytes']))],
			['Conflated', count(it['conflated'])],
			['Closed as stalled', count(it['stalled'])]
		]} />
	)
}

export function Daemon({ stats }: { stats: Row }) {
	if (!there(stats['daemon'])) return <p className="status-none">This daemon does not tell.</p>
	const it = row(stats['daemon'])
	const [busy, up] = [num(it['processor_seconds']), num(it['uptime_seconds'])]
	return (
		<Pairs pairs={[
			['Version', text(it['version']) ?? '–'],
			['Up for', span(up)],
			['Requests', count(it['requests'])],
			['Client errors (4xx)', count(it['client_errors'])],
			['Server errors (5xx)', count(it['server_errors'])],
			['Refused by rate limit', count(it['limited'])],
			['Connections', count(it['connections'])],
			['Memory', bytes(num(it['resident_bytes']))],
			['Processor time', busy === null ? '–' : span(busy) + (up ? ` (${rate((busy / up) * 100)} % since start)` : '')]
		]} />
	)
}
