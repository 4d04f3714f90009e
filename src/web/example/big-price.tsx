/**
 * useCryptoPrice: all that it returns.
 */
import { formatAge, formatPrice, useCryptoPrice } from 'crypto-rt-react'
import { useEffect, useState } from 'react'
import { Change } from './change'

function useSecond(): number {
	const [now, setNow] = useState(() => Date.now())
	useEffect(() => {
		const timer = setInterval(() => setNow(Date.now()), 1_000)
		return () => clearInterval(timer)
	}, [])
	return now
}

export function BigPrice() {
	const [asked, setAsked] = useState('id:bitcoin')
	const { symbol, price, change24h, previous, direction, updatedAt, status, stale, error } = useCryptoPrice(asked)
	const now = useSecond()
	return (
		<div className="big" data-status={status} data-symbol={symbol}>
			<label>
				Symbol or id
				<input value={asked} onChange={event => setAsked(event.target.value)} spellCheck={false} autoComplete="off" />
			</label>
			<p className="figure">
				<span key={updatedAt} className={`price ${direction > 0 ? 'rise' : direction < 0 ? 'fall' : ''}`}>
					{formatPrice(price)}
				</span>
				<Change value={change24h} />
			</p>
			<dl>
				<dt>Symbol</dt>
				<dd>{symbol || '–'}</dd>
				<dt>Before that</dt>
				<dd className="previous">{formatPrice(previous)}</dd>
				<dt>Came</dt>
				<dd>{updatedAt === null ? '–' : `${formatAge(Math.max(0, now - updatedAt) / 1000)} ago`}</dd>
				<dt>Status</dt>
				<dd className="state">{stale && error ? `${status}: ${error}` : (error ?? status)}</dd>
			</dl>
		</div>
	)
}
