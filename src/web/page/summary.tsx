// The market in one line: caps and volumes of all coins together, and how many rose and fell. Summed up every two seconds, not at every tick.
import { useEffect, useState } from 'react'
import { formatCompact } from 'crypto-rt-react'
import { market, useMarket } from './market'

const EVERY_MS = 2000

interface Sums { cap: number; volume: number; bitcoin: number | null; up: number; down: number }

function sumUp(): Sums {
	const sums: Sums = { cap: 0, volume: 0, bitcoin: null, up: 0, down: 0 }
	for (const coin of market.coins()) {
		sums.cap += coin.marketCap ?? 0
		sums.volume += coin.volume24h ?? 0
		if ((coin.change24h ?? 0) > 0) sums.up++
		else if ((coin.change24h ?? 0) < 0) sums.down++
	}
	const bitcoin = market.byId('bitcoin')?.marketCap ?? null
	if (bitcoin !== null && sums.cap > 0) sums.bitcoin = (100 * bitcoin) / sums.cap
	return sums
}

export function Summary() {
	const { state, count } = useMarket()
	const [sums, setSums] = useState(sumUp)
	useEffect(() => {
		setSums(sumUp())
		const timer = setInterval(() => !document.hidden && setSums(sumUp()), EVERY_MS)
		return () => clearInterval(timer)
	}, [count])
	const known = state === 'ready'
	return (
		<dl className="summary" aria-busy={!known}>
			<div><dt>Market cap</dt><dd>{known ? formatCompact(sums.cap, '$') : <i className="bone" />}</dd></div>
			<div><dt>24 h volume</dt><dd>{known ? formatCompact(sums.volume, '$') : <i className="bone" />}</dd></div>
			<div><dt>Bitcoin’s share</dt><dd>{known && sums.bitcoin !== null ? `${sums.bitcoin.toFixed(1)} %` : known ? '–' : <i className="bone" />}</dd></div>
			<div><dt>24 h</dt><dd>{known ? <Breadth up={sums.up} down={sums.down} /> : <i className="bone" />}</dd></div>
		</dl>
	)
}

function Breadth({ up, down }: { up: number; down: number }) {
	return (
		<span className="breadth">
			<span className="up">{up.toLocaleString('en-US')} up</span>
			<span className="breadth-bar" aria-hidden="true"><i style={{ width: `${(100 * up) / Math.max(1, up + down)}%` }} /></span>
			<span className="down">{down.toLocaleString('en-US')} down</span>
		</span>
	)
}
