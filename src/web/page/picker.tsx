// Choosing a coin by typing: a combobox over all coins, the best eight shown.
import { useId, useState, type KeyboardEvent } from 'react'
import { formatPrice } from 'crypto-rt-react'
import { market, type Coin } from './market'
import { Monogram } from './row'
import { searchCoins } from './search'

const SHOWN = 8

interface Props {
	chosen: Coin | null
	onChoose: (coin: Coin | null) => void
	error: string | null
}

export function CoinPicker({ chosen, onChoose, error }: Props) {
	const id = useId()
	const [text, setText] = useState('')
	const [open, setOpen] = useState(false)
	const [at, setAt] = useState(0)
	const found = open && text.trim() ? searchCoins(market.coins(), text).slice(0, SHOWN) : []
	const shown = chosen ? `${chosen.name} (${chosen.symbol})` : text

	function choose(coin: Coin): void {
		onChoose(coin)
		setText('')
		setOpen(false)
	}

	function onKeyDown(event: KeyboardEvent): void {
		if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1))
		else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1))
		else if (event.key === 'Escape' && (open || text || chosen)) {
			setOpen(false)
			setText('')
			onChoose(null)
		} else if (event.key === 'Enter' && found[at]) choose(found[at])
		else return
		event.preventDefault()
	}

	return (
		<div className="field picker">
			<label htmlFor={id}>Coin</label>
			<input id={id} type="text" role="combobox" value={shown} placeholder="Name or symbol" autoComplete="off" spellCheck={false}
				aria-expanded={found.length > 0} aria-controls={`${id}-list`} aria-autocomplete="list"
				aria-activedescendant={found[at] ? `${id}-${at}` : undefined} aria-invalid={error ? true : undefined} aria-describedby={error ? `${id}-error` : undefined}
				onChange={event => {
					// typing goes on from nothing once a coin was chosen
					setText(chosen ? event.target.value.slice(shown.length) : event.target.value)
					onChoose(null)
					setOpen(true)
					setAt(0)
				}}
				onKeyDown={onKeyDown} onBlur={() => setOpen(false)} />
			{error && <p className="field-error" id={`${id}-error`}>{error}</p>}
			<ul id={`${id}-list`} role="listbox" aria-label="Coins" className="options" hidden={!found.length}>
				{found.map((coin, i) => (
					// the mouse chooses before the field loses the focus
					<li key={coin.id} id={`${id}-${i}`} role="option" aria-selected={i === at} onMouseDown={event => { event.preventDefault(); choose(coin) }} onMouseEnter={() => setAt(i)}>
						<Monogram coin={coin} />
						<span className="name">{coin.name} <span className="symbol">{coin.symbol}</span></span>
						<span className="price">{formatPrice(coin.price)}</span>
					</li>
				))}
			</ul>
			{open && text.trim() && !found.length && <p className="field-note" role="status">No coin matches.</p>}
		</div>
	)
}
