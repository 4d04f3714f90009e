// A coin's own page: what it costs now, how that came about, and what there is of it. The chart comes by itself, a moment later.
import { lazy, Suspense, useEffect, useState } from 'react'
import { formatAge, formatPercent, formatPrice } from 'crypto-rt-react'
import { dayRange } from './candles'
import { useCandles } from './candles-feed'
import { useEarly } from './coin-early'
import { Converter } from './coin-converter'
import { Figures, Supply } from './coin-figures'
import { UnknownCoin } from './coin-unknown'
import { StarIcon } from './icons'
import { listHref } from './liststate'
import { market, staleSeconds, ttlSeconds, useCoin, useMarket, type Coin } from './market'
import { Monogram } from './row'
import { useWatched, watchlist } from './watchlist'
import './panel.css'
import './coin.css'

const Chart = lazy(() => import('./chart'))

export function CoinPage({ id }: { id: string }) {
	const kept = useCoin(id)
	const { state, error } = useMarket()
	const missing = kept === undefined && state === 'ready'
	const early = useEarly(id, kept === undefined && !missing)
	const coin = kept ?? (typeof early === 'object' && !missing ? early : undefined)
	if (missing || (coin === undefined && early === 'none')) return <UnknownCoin id={id} searched={state === 'ready'} />
	return (
		<div className="page coin-page">
			<Back />
			{coin === undefined ? <Loading id={id} error={error} /> : <Shown coin={coin} />}
		</div>
	)
}

function Shown({ coin }: { coin: Coin }) {
	return (
		<>
			<Head coin={coin} />
			<div className="coin-columns">
				<div className="coin-main">
					<Suspense fallback={<div className="panel chart chart-loading"><p className="chart-over">Loading the chart …</p></div>}>
						<Chart coin={coin} />
					</Suspense>
				</div>
				<div className="coin-side">
					<Figures coin={coin} />
					<Supply coin={coin} />
					<Converter coin={coin} />
				</div>
			</div>
		</>
	)
}

function Back() {
	return (
		<nav className="coin-back" aria-label="Back">
			<a href={listHref('coins')}><span aria-hidden="true">← </span>All coins</a>
		</nav>
	)
}

function Loading({ id, error }: { id: string; error: string | null }) {
	return (
		<>
			<h1 tabIndex={-1}>{id}</h1>
			{error === null
				? <p className="coin-wait">Loading prices …</p>
				: (
					<div role="alert">
						<p>Prices could not be loaded. {error}.</p>
						<p><button type="button" className="button" onClick={() => market.retry()}>Try again</button></p>
					</div>
				)}
		</>
	)
}

function Head({ coin }: { coin: Coin }) {
	return (
		<header className="coin-head">
			<div className="coin-title">
				<Monogram coin={coin} />
				<h1 tabIndex={-1}>
					{coin.name} <span className="coin-symbol">{coin.symbol}</span>
				</h1>
				<span className="coin-rank">Rank {Number.isFinite(coin.rank) ? whole.format(coin.rank) : '–'}</span>
				<Star coin={coin} />
			</div>
			<div className="coin-now">
				<Price coin={coin} />
				<dl className="coin-changes">
					<Change label="1 h" value={coin.change1h} />
					<Change label="24 h" value={coin.change24h} />
					<Change label="7 d" value={coin.change7d} />
				</dl>
			</div>
			<Age coin={coin} />
			<Range coin={coin} />
		</header>
	)
}

function Star({ coin }: { coin: Coin }) {
	const on = useWatched(coin.id)
	return (
		<button type="button" className="coin-star" aria-pressed={on} onClick={() => watchlist.toggle(coin.id)}
			title={on ? 'Remove from the watchlist' : 'Add to the watchlist'}>
			<StarIcon on={on} />
			<span>Watch<span className="hidden"> {coin.name}</span></span>
		</button>
	)
}

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const ways = { '1': 'up', '-1': 'down', '0': 'same' } as const

/** Two names for the same flash take turns, which starts it anew without asking the browser to lay the page out. */
function Price({ coin }: { coin: Coin }) {
	const way = ways[`${coin.direction}`]
	const fresh = coin.moves > 0 && performance.now() - coin.movedAt < 1500
	return (
		<p className={`coin-price ${way}${fresh ? ` flash-${way}-${coin.moves % 2}` : ''}`} data-testid="price">
			<span className="coin-figure">{formatPrice(coin.price)}</span>
			<span className="coin-arrow" aria-hidden="true">{coin.direction === 1 ? '▲' : coin.direction === -1 ? '▼' : ''}</span>
		</p>
	)
}

function Change({ label, value }: { label: string; value: number | null }) {
	const way = value === null || Math.abs(value) < 0.005 ? 'same' : value > 0 ? 'up' : 'down'
	return (
		<div>
			<dt>{label}</dt>
			<dd className={way}>
				{way !== 'same' && <span className="coin-way" aria-hidden="true">{way === 'up' ? '▲' : '▼'}</span>}
				{formatPercent(value)}
			</dd>
		</div>
	)
}

/** Now, once a second while the page is seen. */
function useNow(): number {
	const [now, setNow] = useState(Date.now)
	useEffect(() => {
		const timer = setInterval(() => { if (!document.hidden) setNow(Date.now()) }, 1000)
		return () => clearInterval(timer)
	}, [])
	return now
}

function Age({ coin }: { coin: Coin }) {
	const now = useNow()
	const stale = staleSeconds(coin, now)
	return (
		<p className="coin-age">
			{stale === null
				? <span>Updated {formatAge((now - coin.updatedAt) / 1000)} ago</span>
				: (
					<span className="coin-stale" title={`A price of this coin is good for ${formatAge(ttlSeconds(coin.interval))}`}>
						Stale: last confirmed {formatAge(stale)} ago
					</span>
				)}
			<span>{coin.simulated ? 'simulated' : 'from CoinLore'}</span>
			<span>polled every {formatAge(coin.interval)}</span>
		</p>
	)
}

/** Low and high of 24 h and where the price is between them; live, for each tick is in the newest candle. */
function Range({ coin }: { coin: Coin }) {
	const feed = useCandles(coin.id, '5m')
	const now = useNow() / 1000
	if (!feed.loaded && feed.problem === null) return <div className="coin-range" />
	const seen = feed.seen.map(point => point.value)
	const { high, low, since } = feed.loaded
		? dayRange(feed.candles, feed.step, coin.price, now)
		: { high: Math.max(coin.price, ...seen), low: Math.min(coin.price, ...seen), since: feed.seen[0]?.time ?? now }
	const at = high > low ? ((coin.price - low) / (high - low)) * 100 : 50
	const note = since === null ? null
		: !feed.loaded ? `Of the prices since you opened this page, ${formatAge(now - since)} ago: there is no history`
		: feed.candles.length === 0 ? 'Nothing is recorded yet'
		: `Of what is recorded, which begins ${formatAge(now - since)} ago`
	return (
		<div className="coin-range">
			<dl>
				<div><dt>{since === null ? '24 h low' : 'Low'}</dt><dd>{formatPrice(low)}</dd></div>
				<div><dt>{since === null ? '24 h high' : 'High'}</dt><dd>{formatPrice(high)}</dd></div>
			</dl>
			<div className="coin-track" aria-hidden="true"><i style={{ left: `${at}%` }} /></div>
			{note !== null && <p className="coin-note">{note}.</p>}
		</div>
	)
}
