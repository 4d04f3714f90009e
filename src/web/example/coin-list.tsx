/**
 * useCryptoPrices: a list that the user makes.
 */
import { formatPrice, useCryptoPrices } from 'crypto-rt-react'
import { useState, type FormEvent } from 'react'
import { Change } from './change'

export function CoinList() {
	const [symbols, setSymbols] = useState(['BTC', 'ETH', 'SOL'])
	const [text, setText] = useState('')
	// another array each time; that costs nothing
	const prices = useCryptoPrices(symbols.map(symbol => symbol))
	const add = (event: FormEvent) => {
		event.preventDefault()
		const symbol = text.trim()
		if (symbol !== '' && !symbols.includes(symbol)) setSymbols([...symbols, symbol])
		setText('')
	}
	return (
		<>
			<form onSubmit={add}>
				<input value={text} onChange={event => setText(event.target.value)} placeholder="DOGE" aria-label="Symbol to add" autoComplete="off" />
				<button type="submit">Add</button>
			</form>
			<ul className="coins">
				{symbols.map(symbol => {
					const coin = prices[symbol]
					return (
						<li key={symbol} data-symbol={symbol} data-status={coin?.status}>
							<b>{symbol}</b>
							{coin?.error != null && !coin.stale ? (
								<span className="problem">{coin.error}</span>
							) : (
								<>
									<span key={coin?.updatedAt} className={`price ${coin?.direction === 1 ? 'rise' : coin?.direction === -1 ? 'fall' : ''}`}>
										{coin?.status === 'loading' ? '…' : formatPrice(coin?.price)}
									</span>
									<Change value={coin?.change24h ?? null} />
								</>
							)}
							<button type="button" aria-label={`Remove ${symbol}`} onClick={() => setSymbols(symbols.filter(other => other !== symbol))}>
								×
							</button>
						</li>
					)
				})}
			</ul>
			{symbols.length === 0 && <p className="empty">No coins yet. Add one by its symbol, such as DOGE.</p>}
		</>
	)
}
