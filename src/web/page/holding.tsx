// One holding as a row, and the form that adds one. Amounts that are no amounts are refused beside the field, and what was there stays.
import { useId, useState, type FormEvent } from 'react'
import { formatPercent, formatPrice } from 'crypto-rt-react'
import { parseAmount, worth, type Holding } from './holdings'
import { CloseIcon } from './icons'
import { market, type Coin } from './market'
import { CoinPicker } from './picker'
import { coinHref } from './route'
import { Monogram } from './row'

export function AddHolding({ held, onAdd }: { held: readonly Holding[]; onAdd: (holding: Holding) => void }) {
	const id = useId()
	const [coin, setCoin] = useState<Coin | null>(null)
	const [text, setText] = useState('')
	const [errors, setErrors] = useState<{ coin: string | null; amount: string | null }>({ coin: null, amount: null })

	function add(event: FormEvent): void {
		event.preventDefault()
		const parsed = parseAmount(text)
		const there = coin && held.some(one => one.id === coin.id)
		const next = { coin: !coin ? 'Choose a coin from the list.' : there ? `${coin.name} is there already: change its amount below.` : null, amount: parsed.error }
		setErrors(next)
		if (!coin || next.coin || parsed.amount === null) return
		onAdd({ id: coin.id, symbol: coin.symbol, name: coin.name, amount: parsed.amount })
		setCoin(null)
		setText('')
	}

	return (
		<form className="add" onSubmit={add} noValidate aria-label="Add a coin">
			<CoinPicker chosen={coin} error={errors.coin} onChoose={chosen => {
				setCoin(chosen)
				setErrors(before => ({ ...before, coin: null }))
			}} />
			<div className="field">
				<label htmlFor={id}>Amount</label>
				<input id={id} type="text" inputMode="decimal" value={text} placeholder="0.5" autoComplete="off" aria-invalid={errors.amount ? true : undefined}
					aria-describedby={errors.amount ? `${id}-error` : undefined} onChange={event => {
						setText(event.target.value)
						setErrors(before => ({ ...before, amount: null }))
					}} />
				{errors.amount && <p className="field-error" id={`${id}-error`}>{errors.amount}</p>}
			</div>
			<button className="button" type="submit">Add</button>
			<span className="hidden" role="status">{[errors.coin, errors.amount].filter(Boolean).join(' ')}</span>
		</form>
	)
}

interface RowProps {
	held: Holding
	total: number
	/** the whole market is there: a coin that is not is gone */
	loaded: boolean
	onAmount: (amount: string) => void
	onRemove: () => void
}

export function HoldingRow({ held, total, loaded, onAmount, onRemove }: RowProps) {
	const coin = market.byId(held.id)
	const is = worth(held, coin)
	const share = is && total > 0 ? (100 * is.value) / total : 0
	const change = coin?.change24h ?? null
	const name = coin?.name ?? held.name
	return (
		<li className="holding">
			<span className="holding-coin">
				<Monogram coin={coin ?? held} />
				<a href={coinHref(held.id)}><span className="name">{name}</span><span className="sub">{coin?.symbol ?? held.symbol}</span></a>
			</span>
			<Amount held={held} name={name} onAmount={onAmount} />
			<span className="holding-price"><span className="hidden">Price </span>{coin ? formatPrice(coin.price) : loaded ? 'No price here' : '–'}
				<span className={change === null ? 'sub' : change < 0 ? 'sub down' : 'sub up'}>{formatPercent(change)}</span>
			</span>
			<span className="holding-value"><span className="hidden">Value </span>{is ? formatPrice(is.value) : '–'}<span className="sub">{is ? `${share.toFixed(1)} %` : ''}</span></span>
			<span className="share" aria-hidden="true"><i style={{ transform: `scaleX(${share / 100})` }} /></span>
			<button className="icon-button" type="button" onClick={onRemove} aria-label={`Remove ${name}`}><CloseIcon /></button>
		</li>
	)
}

/** The amount is taken over when the field is left or Enter is hit; Escape puts back what was there. */
function Amount({ held, name, onAmount }: { held: Holding; name: string; onAmount: (amount: string) => void }) {
	const id = useId()
	const [text, setText] = useState<string | null>(null)
	const [error, setError] = useState<string | null>(null)

	function take(): void {
		if (text === null) return
		const parsed = parseAmount(text)
		setError(parsed.error)
		if (parsed.amount === null) return
		setText(null)
		if (parsed.amount !== held.amount) onAmount(parsed.amount)
	}

	return (
		<span className="holding-amount">
			<input type="text" inputMode="decimal" autoComplete="off" aria-label={`Amount of ${name}`} value={text ?? held.amount}
				aria-invalid={error ? true : undefined} aria-describedby={error ? id : undefined}
				onChange={event => setText(event.target.value)} onBlur={take} onKeyDown={event => {
					if (event.key === 'Enter') take()
					else if (event.key === 'Escape') {
						setText(null)
						setError(null)
					}
				}} />
			{error && <span className="field-error" id={id} role="alert">{error}</span>}
		</span>
	)
}
