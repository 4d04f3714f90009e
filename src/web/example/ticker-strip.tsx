/**
 * useCryptoPrice: a component for each coin, all on one connection.
 */
import { formatPrice, useCryptoPrice } from 'crypto-rt-react'
import { Change } from './change'

const symbols = ['BTC', 'ETH', 'BNB', 'XRP', 'SOL', 'ADA', 'DOGE', 'DOT', 'SHIB']

function TickerItem({ symbol }: { symbol: string }) {
	const { price, change24h, direction, updatedAt, status, error } = useCryptoPrice(symbol)
	const move = direction > 0 ? 'rise' : direction < 0 ? 'fall' : ''
	return (
		<li data-symbol={symbol} data-status={status} title={error ?? undefined}>
			<b>{symbol}</b>
			{/* another key is another element, and so the flash begins anew */}
			<span key={updatedAt} className={`price ${move}`}>
				{status === 'error' ? 'unknown' : formatPrice(price)}
			</span>
			<Change value={change24h} />
		</li>
	)
}

export function TickerStrip() {
	return (
		<ul className="strip" tabIndex={0} aria-label="Prices">
			{symbols.map(symbol => (
				<TickerItem key={symbol} symbol={symbol} />
			))}
		</ul>
	)
}
