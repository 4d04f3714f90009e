// A coin's last seven days as one small line, drawn when the row has been seen for a moment: who scrolls past asks for nothing.
import { memo, useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { formatPercent } from 'crypto-rt-react'
import { onClock } from './clock'
import { onSpark, sparkPoints, sparkVersion, wantSpark, WEEK } from './sparkdata'
import type { Coin } from './market'

const SEEN_MS = 300
const WIDTH = 120
const HEIGHT = 32
const PAD = 2
/** The line's right end is drawn anew so often. */
const REDRAW_MS = 60_000

export const Sparkline = memo(function Sparkline({ coin }: { coin: Coin }) {
	const subscribe = useCallback((listener: () => void) => onSpark(coin.id, listener), [coin.id])
	const version = useSyncExternalStore(subscribe, () => sparkVersion(coin.id))
	const turn = useSyncExternalStore(onClock, () => Math.floor(Date.now() / REDRAW_MS))
	const [seen, setSeen] = useState(version > 0)
	useEffect(() => {
		let cancel: (() => void) | null = null
		const timer = setTimeout(() => {
			setSeen(true)
			cancel = wantSpark(coin)
		}, SEEN_MS)
		return () => {
			clearTimeout(timer)
			cancel?.()
		}
		// a turn looks whether it is old
	}, [coin, turn])
	if (!seen) return null
	return <Line coin={coin} version={version} turn={turn} />
})

/** The numbers are there to draw it anew: the coin itself is always the same object. */
const Line = memo(function Line({ coin }: { coin: Coin; version: number; turn: number }) {
	const points = sparkPoints(coin)
	if (points.length < 2) return <span className="hidden">No history yet</span>
	const now = points.at(-1)?.time ?? 0
	let low = Infinity
	let high = -Infinity
	for (const { price } of points) {
		low = Math.min(low, price)
		high = Math.max(high, price)
	}
	const scale = high > low ? (HEIGHT - 2 * PAD) / (high - low) : 0
	let path = ''
	for (const { time, price } of points) {
		const x = WIDTH * (1 - (now - time) / WEEK)
		const y = scale ? HEIGHT - PAD - (price - low) * scale : HEIGHT / 2
		path += `${path ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
	}
	const change = coin.change7d
	const label = change === null ? 'Last 7 days, change unknown' : `Last 7 days: ${formatPercent(change)}`
	return (
		<svg className={change === null ? 'spark' : change < 0 ? 'spark down' : 'spark up'} viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
			preserveAspectRatio="none" role="img" aria-label={label}>
			<path d={path} vectorEffect="non-scaling-stroke" />
		</svg>
	)
})
