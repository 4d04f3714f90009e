// An amount of a coin in dollars and back. The side that was typed last stands; the other one follows the price.
import { useId, useState } from 'react'
import { fixedPrice } from './candles'
import type { Coin } from './market'

type Side = 'coin' | 'usd'

/** '1,234.5', '0,5' and '.5' are amounts; null when it is none. One comma with other than three digits behind it is a decimal one. */
export function parseAmount(text: string): number | null {
	let plain = text.replace(/[\s_’']/g, '')
	if (/^\d*,\d*$/.test(plain) && !/^[1-9]\d{0,2},\d{3}$/.test(plain)) plain = plain.replace(',', '.')
	else if (/^\d{1,3}(,\d{3})+(\.\d*)?$/.test(plain)) plain = plain.replaceAll(',', '')
	return /^(\d+\.?\d*|\.\d+)$/.test(plain) && Number.isFinite(Number(plain)) ? Number(plain) : null
}

function shown(n: number, side: Side): string {
	if (n === 0) return '0'
	if (side === 'usd' && n >= 1) return fixedPrice(n, 2)
	if (n >= 1e15) return fixedPrice(n, 0)
	const decimals = Math.min(60, Math.max(2, (side === 'usd' ? 3 : 7) - Math.floor(Math.log10(n))))
	return fixedPrice(n, decimals).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')
}

export function Converter({ coin }: { coin: Coin }) {
	const [typed, setTyped] = useState<{ side: Side; text: string }>({ side: 'coin', text: '1' })
	const id = useId()
	const amount = parseAmount(typed.text)
	const wrong = typed.text.trim() !== '' && amount === null
	const other = amount === null || !(coin.price > 0) ? ''
		: typed.side === 'coin' ? shown(amount * coin.price, 'usd')
		: shown(amount / coin.price, 'coin')

	function field(side: Side, label: string) {
		const mine = typed.side === side
		return (
			<label className="coin-field">
				<span>{label}</span>
				<input
					type="text" inputMode="decimal" autoComplete="off" spellCheck={false} maxLength={40}
					value={mine ? typed.text : other}
					aria-invalid={(mine && wrong) || undefined} aria-describedby={mine && wrong ? id : undefined}
					onChange={event => setTyped({ side, text: event.target.value })}
					onFocus={event => event.target.select()}
				/>
			</label>
		)
	}

	return (
		<section className="panel coin-converter" aria-labelledby="converter-title">
			<h2 id="converter-title">Converter</h2>
			<div className="coin-fields">
				{field('coin', coin.symbol)}
				<span className="coin-equals" aria-hidden="true">=</span>
				{field('usd', 'USD')}
			</div>
			{wrong && <p id={id} className="coin-wrong">Not an amount. Digits and one decimal point, nothing below zero.</p>}
			{!(coin.price > 0) && <p className="coin-note">This coin has no price at the moment.</p>}
		</section>
	)
}
