// The chart of a coin's page with what belongs to it: the interval, what the crosshair points at, why there may be no candles, and the
// same in words and as a table for those who see no picture. Loaded by itself, for the library is larger than the rest of the page.
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { formatCompact, formatPercent } from 'crypto-rt-react'
import { decimalsOf, fixedPrice, intervals, type Candle, type Interval } from './candles'
import { useCandles, type CandleFeed } from './candles-feed'
import { timeFormat } from './chart-time'
import { createView, type View } from './chart-view'
import type { Coin } from './market'
import { stored, useStored } from './storage'

const chosen = stored<Interval>('interval', '5m', value => intervals.find(i => i.interval === value)?.interval)
const olderAhead = 60 // candles left of the view when more are fetched

export default function Chart({ coin }: { coin: Coin }) {
	const { id, name } = coin
	const interval = useStored(chosen)
	const feed = useCandles(id, interval)
	const kind = feed.loaded ? 'candles' : feed.problem === null ? null : 'line'
	const [hover, setHover] = useState<number | null>(null)
	const [latest, setLatest] = useState(true)
	const canvas = useRef<HTMLDivElement>(null)
	const view = useRef<View | null>(null)

	useEffect(() => {
		if (kind === null || canvas.current === null) return
		const it = createView(canvas.current, interval, kind, {
			hover: setHover,
			visible(before, newest) {
				setLatest(newest)
				if (before < olderAhead) void feed.loadOlder()
			}
		})
		const fill = () => (kind === 'candles' ? it.setCandles(feed.candles) : it.setSeen(feed.seen))
		const end = feed.listen(change => {
			const candle = feed.candles.at(-1)
			const point = feed.seen.at(-1)
			if (change === 'all') fill()
			else if (change === 'last' && kind === 'candles' && candle) it.update(candle)
			else if (change === 'last' && kind === 'line' && point) it.addSeen(point)
		})
		view.current = it
		fill()
		return () => {
			end()
			it.remove()
			view.current = null
			setHover(null)
			setLatest(true)
		}
	}, [feed, interval, kind])

	return (
		<section className="panel chart" aria-labelledby="chart-title">
			<header className="chart-head">
				<h2 id="chart-title">Price chart</h2>
				<Intervals interval={interval} />
			</header>
			<Legend feed={feed} hover={hover} line={kind === 'line'} />
			<div
				className="chart-frame" role="group" tabIndex={0}
				aria-label={`Chart of ${name}. Arrow keys move it, plus and minus zoom, End goes to the newest candle`}
				onKeyDown={event => steer(event, view.current)}
				onFocus={() => view.current?.wheel(true)}
				onBlur={() => view.current?.wheel(false)}
				onPointerDown={event => event.currentTarget.focus({ preventScroll: true })}
			>
				<div className="chart-canvas" ref={canvas} aria-hidden="true" />
				{kind === null && <p className="chart-over skeleton-text">Loading candles …</p>}
				{kind === 'candles' && feed.candles.length === 0 && (
					<p className="chart-over">Nothing is recorded of {name} yet. The first candle appears with its next change of price.</p>
				)}
				{!latest && (
					<button type="button" className="chart-latest" onClick={() => view.current?.latest()}>
						To the newest
					</button>
				)}
			</div>
			<Notes feed={feed} simulated={coin.simulated} />
			<InWords feed={feed} name={name} />
		</section>
	)
}

function Intervals({ interval }: { interval: Interval }) {
	return (
		<fieldset className="chart-intervals">
			<legend className="hidden">Candles of</legend>
			{intervals.map(({ interval: value, label, name }) => (
				<label key={value}>
					<input type="radio" name="interval" value={value} checked={value === interval} onChange={() => chosen.set(value)} />
					<span aria-hidden="true">{label}</span>
					<span className="hidden">{name}</span>
				</label>
			))}
		</fieldset>
	)
}

function steer(event: KeyboardEvent, view: View | null): void {
	if (view === null || event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
	const far = event.shiftKey ? 50 : 5
	if (event.key === 'ArrowLeft') view.pan(-far)
	else if (event.key === 'ArrowRight') view.pan(far)
	else if (event.key === '+' || event.key === '=') view.zoom(0.8)
	else if (event.key === '-') view.zoom(1.25)
	else if (event.key === 'End') view.latest()
	else return
	event.preventDefault()
}

/** Open, high, low, close of the candle under the crosshair, or of the newest. */
function Legend({ feed, hover, line }: { feed: CandleFeed; hover: number | null; line: boolean }) {
	const candle = feed.candles.find(it => it.time === hover) ?? feed.candles.at(-1)
	if (line) {
		const point = feed.seen.find(it => it.time === hover) ?? feed.seen.at(-1)
		return (
			<p className="chart-legend">
				{point && <><span className="chart-when">{timeFormat('1m', true).full(point.time)}</span> {price(point.value, point.value)}</>}
			</p>
		)
	}
	if (candle === undefined) return <p className="chart-legend" />
	const rose = candle.close >= candle.open
	return (
		<p className="chart-legend">
			<span className="chart-when">{timeFormat(feed.interval).full(candle.time)}</span>{' '}
			{(['open', 'high', 'low', 'close'] as const).map(part => (
				<span key={part} className={rose ? 'up' : 'down'}>
					<abbr title={part}>{part[0]!.toUpperCase()}</abbr> {price(candle[part], candle.close)}{' '}
				</span>
			))}
			<span className={rose ? 'up' : 'down'}>{candle.open > 0 ? formatPercent((candle.close / candle.open - 1) * 100) : '–'}</span>{' '}
			<span className="chart-volume">24 h volume {formatCompact(candle.volume, '$')}</span>
		</p>
	)
}

const price = (n: number, like: number): string => fixedPrice(n, decimalsOf(like))

/** That prices are simulated is told by a banner; here, that some were, though they are real now. */
function Notes({ feed, simulated }: { feed: CandleFeed; simulated: boolean }) {
	if (feed.problem !== null && !feed.loaded)
		return (
			<p className="chart-note warn" role="status">
				No candles: {feed.problem}. The line shows the prices seen since you opened this page.
			</p>
		)
	return (
		<p className="chart-note" role="status">
			{feed.problem !== null && <span className="warn">History is not at hand: {feed.problem}. Live prices carry the chart on. </span>}
			{feed.older === 'loading' && 'Loading older candles … '}
			{feed.simulated && !simulated && 'Some of these prices are simulated. '}
			{feed.interval === '1d' && 'Days begin at midnight UTC. '}
		</p>
	)
}

function InWords({ feed, name }: { feed: CandleFeed; name: string }) {
	const times = timeFormat(feed.interval)
	const { candles } = feed
	const [first, last] = [candles[0], candles.at(-1)]
	if (first === undefined || last === undefined) return null
	const size = intervals.find(it => it.interval === feed.interval)!.name
	const change = first.open > 0 ? formatPercent((last.close / first.open - 1) * 100).replace(' ', '\u00a0') : '–'
	return (
		<div className="chart-words">
			<p>
				{name} in candles of {size} since {times.full(first.time)}: from ${price(first.open, last.close)} to ${price(last.close, last.close)} (
				{change}), highest ${price(max(candles, 'high'), last.close)}, lowest ${price(min(candles, 'low'), last.close)}. The columns show
				the volume of the 24 hours before each candle’s end.
			</p>
			<details>
				<summary>The last {Math.min(10, candles.length)} candles as a table</summary>
				<div className="scroll-x" tabIndex={0} role="region" aria-label="Table of candles">
					<table className="figures">
						<caption className="hidden">The newest candles of {size} of {name}, newest first</caption>
						<thead>
							<tr>
								<th scope="col">Begin</th><th scope="col">Open</th><th scope="col">High</th><th scope="col">Low</th>
								<th scope="col">Close</th><th scope="col">24 h volume</th>
							</tr>
						</thead>
						<tbody>
							{candles.slice(-10).reverse().map(candle => (
								<tr key={candle.time}>
									<th scope="row">{times.full(candle.time)}</th>
									<td>{price(candle.open, last.close)}</td><td>{price(candle.high, last.close)}</td>
									<td>{price(candle.low, last.close)}</td><td>{price(candle.close, last.close)}</td>
									<td>{formatCompact(candle.volume, '$')}</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			</details>
		</div>
	)
}

const max = (candles: readonly Candle[], part: 'high'): number => candles.reduce((most, candle) => Math.max(most, candle[part]), -Infinity)
const min = (candles: readonly Candle[], part: 'low'): number => candles.reduce((least, candle) => Math.min(least, candle[part]), Infinity)
