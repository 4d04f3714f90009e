/**
 * useCryptoStream: each frame as it comes.
 */
import { formatPrice, useCryptoStream, type Ticks } from 'crypto-rt-react'
import { useState } from 'react'

const KEPT = 8

interface Line {
	number: number
	at: Date
	ticks: Ticks
	snapshot: boolean
}

export function StreamLog() {
	const [enabled, setEnabled] = useState(true)
	const [lines, setLines] = useState<Line[]>([])
	const { connection, ticks, badFrames } = useCryptoStream({
		symbols: ['BTC', 'ETH', 'DOGE'],
		enabled,
		onTick: (news, snapshot) =>
			setLines(before => [{ number: (before[0]?.number ?? 0) + 1, at: new Date(), ticks: news, snapshot }, ...before].slice(0, KEPT))
	})
	return (
		<>
			<p className="counts">
				<label>
					<input type="checkbox" checked={enabled} onChange={event => setEnabled(event.target.checked)} /> Listen
				</label>
				<span>
					<b className="connection">{connection.state}</b>, {Object.keys(ticks).length} coins, <b className="frames">{lines[0]?.number ?? 0}</b> frames,{' '}
					<b className="bad">{badFrames}</b> unreadable
				</span>
			</p>
			<ol className="log">
				{lines.map(({ number, at, ticks: news, snapshot }) => (
					<li key={number} data-snapshot={snapshot}>
						<time>{at.toLocaleTimeString()}</time>
						<span>
							{Object.entries(news)
								.map(([symbol, tick]) => `${symbol} ${formatPrice(tick.price)}`)
								.join(' · ')}
						</span>
					</li>
				))}
			</ol>
		</>
	)
}
