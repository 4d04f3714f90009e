// The operators' view: is all well, and if not, what is wrong and what to do; then the figures, and the last hour in small plots.
import { useEffect, useState } from 'react'
import { formatAge } from 'crypto-rt-react'
import { Plot } from './plot'
import { bytes, count, num, rate, row, series, span, text, useStats, type Row, type StatsState } from './status-data'
import { Card, Daemon, Feeds, Server, Streams, Tiers } from './status-tables'
import { judge, plural, worst, type Finding } from './status-verdict'
import './panel.css'
import './status.css'

export function StatusPage() {
	const { stats, at, problem, failed, retry } = useStats()
	return (
		<div className="page status-page">
			<header className="status-head">
				<h1 tabIndex={-1}>Status</h1>
				{stats !== null && <Asked stats={stats} at={at} />}
			</header>
			<Verdict stats={stats} at={at} problem={problem} failed={failed} retry={retry} />
			{stats !== null && <Shown stats={stats} />}
		</div>
	)
}

function Asked({ stats, at }: { stats: Row; at: number }) {
	const [now, setNow] = useState(Date.now)
	useEffect(() => {
		const timer = setInterval(() => { if (!document.hidden) setNow(Date.now()) }, 1000)
		return () => clearInterval(timer)
	}, [])
	const daemon = row(stats['daemon'])
	const version = text(daemon['version'])
	return (
		<p className="status-asked">
			<span>as of {formatAge(Math.max(0, now - at) / 1000)} ago, asked every 5 s</span>
			{version !== null && <span>daemon {version}, up {span(num(daemon['uptime_seconds']))}</span>}
		</p>
	)
}

const heads = { well: 'All is well', warn: 'Something wants attention', bad: 'Something is wrong' } as const

function Verdict({ stats, at, problem, failed, retry }: StatsState & { retry(): void }) {
	if (stats === null && problem === null)
		return <div className="status-verdict" data-level="wait"><p className="status-line" role="status">Asking the daemon …</p></div>
	const findings: Finding[] = stats === null ? [] : judge(stats, failed)
	const level = problem !== null ? 'bad' : worst(findings)
	const grave = findings.filter(it => it.level !== 'note')
	return (
		<div className="status-verdict" data-level={level}>
			<p className="status-line" role="status">
				<span className="status-sign" aria-hidden="true">{level === 'well' ? '✓' : '!'}</span>
				{problem !== null ? `The daemon ${problem}` : heads[level]}
			</p>
			{problem !== null && (
				<div className="status-finding">
					<p>
						{stats !== null && `What follows is as of ${new Date(at).toLocaleTimeString('en-GB')}. `}
						It is asked again every 5 s.
					</p>
					<p><button type="button" className="button" onClick={retry}>Ask now</button></p>
				</div>
			)}
			{stats !== null && problem === null && level === 'well' && <p className="status-sum">{summary(stats)}</p>}
			{grave.length > 0 && (
				<ul className="status-findings">
					{grave.map(it => <li key={it.what} data-level={it.level}><b>{it.what}</b> {it.todo}</li>)}
				</ul>
			)}
			{findings.filter(it => it.level === 'note').map(it => <p key={it.what} className="status-note">{it.what} {it.todo}</p>)}
		</div>
	)
}

function summary(stats: Row): string {
	const [coins, age] = [num(stats['total_coins']), num(stats['age_seconds'])]
	const old = age === null || age < 1 ? 'less than a second' : formatAge(age)
	return `${count(coins)} coins, the newest price ${old} old, ${plural(num(row(stats['streams'])['open']) ?? 0, 'stream')} open.`
}

const percent = (n: number | null): string => (n === null ? '–' : `${rate(n)} %`)

function Shown({ stats }: { stats: Row }) {
	const history = row(stats['history'])
	return (
		<>
			<section className="status-plots" aria-labelledby="status-hour">
				<h2 id="status-hour">The last hour</h2>
				{'history' in stats
					? (
						<div className="plots">
							<Plot title="Age of the newest price" series={series(history, 'quote_age_seconds')} format={span} warnAt={30} />
							<Plot title="Changes" series={series(history, 'changes_per_second')} format={rate} unit="/ s" />
							<Plot title="Streams" series={series(history, 'streams')} format={n => count(n)} unit="open" />
							<Plot title="Frames" series={series(history, 'frames_per_second')} format={rate} unit="/ s" />
							<Plot title="Requests" series={series(history, 'requests_per_second')} format={rate} unit="/ s" />
							<Plot title="Errors, 4xx and 5xx" series={series(history, 'errors_per_second')} format={rate} unit="/ s" />
							<Plot title="Processor" series={series(history, 'processor_percent')} format={percent} />
							<Plot title="Memory" series={series(history, 'resident_bytes')} format={bytes} />
						</div>
					)
					: <p className="status-none">This daemon keeps no history.</p>}
			</section>
			<Card title="Tiers" wide><Tiers stats={stats} /></Card>
			<div className="status-cards">
				<Card title="PostgreSQL"><Server stats={stats} /></Card>
				<div className="status-stack">
					<Card title="Feed"><Feeds stats={stats} /></Card>
					<Card title="Streams"><Streams stats={stats} /></Card>
				</div>
				<Card title="Daemon"><Daemon stats={stats} /></Card>
			</div>
		</>
	)
}
