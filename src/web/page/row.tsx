// One row of the table. It renders again when its coin changes and only then; a move flashes by a CSS animation, whose name alternates so
// that it starts anew without any layout being asked for. Rows that scroll out of sight become those that scroll in (see table.tsx), so a
// row's coin may be another one the next time; and it has few elements, for each is made and laid out while somebody scrolls.
import { memo, useCallback, useMemo, useSyncExternalStore } from 'react'
import { formatAge, formatCompact, formatPercent, formatPrice } from 'crypto-rt-react'
import { onClock } from './clock'
import { market, staleSeconds, type Coin } from './market'
import { coinHref } from './route'
import { Sparkline } from './sparkline'
import { useWatched } from './watchlist'

interface Props {
	coin: Coin
	index: number
	top: number
	active: boolean
}

export const Row = memo(function Row({ coin, index, top, active }: Props) {
	useVersion(coin)
	const stale = useStale(coin)
	const watched = useWatched(coin.id)
	return (
		<div className="row" role="row" aria-rowindex={index + 2} tabIndex={active ? 0 : -1} data-id={coin.id} data-stale={stale ? '' : undefined}
			style={{ transform: `translateY(${top}px)` }}>
			<span className="c-star" role="gridcell">
				<button className="star" type="button" tabIndex={-1} aria-pressed={watched} aria-label={`Watch ${coin.name}`} />
			</span>
			<span className="c-rank" role="gridcell">{Number.isFinite(coin.rank) ? coin.rank : '–'}</span>
			<span className="c-name" role="gridcell">
				<Monogram coin={coin} />
				<a href={coinHref(coin.id)} tabIndex={-1}>
					<span className="name">{coin.name}</span>
					<span className="sub">{coin.symbol}{stale && <span className="stale">{stale}</span>}</span>
				</a>
			</span>
			<Price coin={coin} />
			<Percent className="c-1h" value={coin.change1h} />
			<Percent className="c-24h" value={coin.change24h} />
			<Percent className="c-7d" value={coin.change7d} />
			<span className="c-volume" role="gridcell">{formatCompact(coin.volume24h, '$')}</span>
			<span className="c-cap" role="gridcell">{formatCompact(coin.marketCap, '$')}</span>
			<span className="c-spark" role="gridcell"><Sparkline key={coin.id} coin={coin} /></span>
		</div>
	)
})

/** Its own version, also when the coin is gone from the market: the list lets go of it later. */
function useVersion(coin: Coin): number {
	const subscribe = useCallback((listener: () => void) => market.watch(coin.id, listener), [coin])
	return useSyncExternalStore(subscribe, () => coin.version)
}

/** '' or 'stale · 4 min'; looked at every few seconds, rendered when it reads differently. */
function useStale(coin: Coin): string {
	return useSyncExternalStore(onClock, () => {
		const age = staleSeconds(coin)
		return age === null ? '' : `stale · ${formatAge(age)}`
	})
}

function Price({ coin }: { coin: Coin }) {
	// a coin that scrolls into view does not flash for what was
	const movesBefore = useMemo(() => coin.moves, [coin])
	const way = coin.direction > 0 ? 'up' : coin.direction < 0 ? 'down' : undefined
	const text = formatPrice(coin.price)
	return (
		<span className="c-price" role="gridcell">
			<span className="price" data-way={way} data-flash={way && coin.moves > movesBefore ? `${way}${coin.moves & 1}` : undefined}
				data-long={text.length > 12 ? '' : undefined}>{text}</span>
		</span>
	)
}

const Percent = memo(function Percent({ className, value }: { className: string; value: number | null }) {
	const direction = value === null || Math.abs(value) < 0.005 ? 'flat' : value > 0 ? 'up' : 'down'
	return <span className={`${className} ${direction}`} role="gridcell">{formatPercent(value)}</span>
})

/** A small tile with the symbol's first letters, in a hue of its own: something for the eye to find a coin again. */
export function Monogram({ coin }: { coin: { id: string; symbol: string } }) {
	let hue = 0
	for (let i = 0; i < coin.id.length; i++) hue = (hue * 31 + coin.id.charCodeAt(i)) % 360
	const letters = [...coin.symbol.replace(/^[^\p{L}\p{N}]+/u, '')].slice(0, coin.symbol.length <= 3 ? 1 : 2).join('')
	return <span className="monogram" aria-hidden="true" style={{ '--hue': hue } as object}>{letters || '?'}</span>
}

export function BoneRow({ index }: { index: number }) {
	const wide = 84 + ((index * 37) % 60)
	return (
		<div className="row bones" role="row" aria-hidden="true">
			<span className="c-star" />
			<span className="c-rank"><i className="bone" style={{ width: 16 }} /></span>
			<span className="c-name"><i className="bone monogram" /><span><i className="bone" style={{ width: wide }} /></span></span>
			<span className="c-price"><i className="bone" style={{ width: 84 }} /></span>
			<span className="c-1h"><i className="bone" style={{ width: 48 }} /></span>
			<span className="c-24h"><i className="bone" style={{ width: 48 }} /></span>
			<span className="c-7d"><i className="bone" style={{ width: 48 }} /></span>
			<span className="c-volume"><i className="bone" style={{ width: 64 }} /></span>
			<span className="c-cap"><i className="bone" style={{ width: 64 }} /></span>
			<span className="c-spark"><i className="bone" style={{ width: 96 }} /></span>
		</div>
	)
}
