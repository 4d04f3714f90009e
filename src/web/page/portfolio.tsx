// The portfolio: amounts per coin that the user enters, what they are worth now, and how that changed in a day. It never leaves the browser.
import { useEffect, useMemo, useReducer, useRef, useState, type ChangeEvent } from 'react'
import { formatPercent, formatPrice } from 'crypto-rt-react'
import { exportHoldings, holdings, readHoldings, useHoldings, worth, type Holding } from './holdings'
import { AddHolding, HoldingRow } from './holding'
import { PortfolioIcon } from './icons'
import { market, useMarket } from './market'
import { useTitle } from './route'
import './portfolio.css'

const RENDER_MS = 500
const UNDO_MS = 12_000

interface Notice { text: string; undo: readonly Holding[] | null }

export function PortfolioPage() {
	useTitle('Portfolio')
	const held = useHoldings()
	const { state } = useMarket()
	const [notice, setNotice] = useState<Notice | null>(null)
	useLive(held)

	useEffect(() => {
		if (!notice) return
		const timer = setTimeout(() => setNotice(null), UNDO_MS)
		return () => clearTimeout(timer)
	}, [notice])

	function keep(next: readonly Holding[], text: string | null, undo: readonly Holding[] | null = null): void {
		const kept = holdings.set(next)
		if (!kept) setNotice({ text: 'This browser does not keep it: the portfolio is gone when the tab is closed. Export it.', undo })
		else setNotice(text ? { text, undo } : null)
	}

	// the largest first, but not jumping about with prices
	const count = market.coins().length > 100
	const sorted = useMemo(() => {
		const value = (one: Holding) => worth(one, market.byId(one.id))?.value ?? -1
		return [...held].sort((a, b) => value(b) - value(a))
	// eslint-disable-next-line react-hooks/exhaustive-deps -- count: the rest of the market has come
	}, [held, count])

	let total = 0
	let before = 0
	for (const one of held) {
		const is = worth(one, market.byId(one.id))
		total += is?.value ?? 0
		before += is?.before ?? 0
	}
	const unknown = state === 'ready' ? held.filter(one => !market.byId(one.id)).length : 0

	return (
		<div className="page portfolio-page">
			<div className="portfolio-top">
				<h1 tabIndex={-1}>Portfolio</h1>
				<Files held={held} keep={keep} say={text => setNotice({ text, undo: null })} />
			</div>
			<p className="notice" role="status" data-shown={notice ? '' : undefined}>
				{notice && <span>{notice.text}</span>}
				{notice?.undo && <button className="link" type="button" onClick={() => keep(notice.undo ?? [], 'Undone.')}>Undo</button>}
			</p>
			{held.length > 0 && (
				<dl className="total">
					<div className="total-value"><dt>Value</dt><dd>{state === 'loading' ? '–' : formatPrice(total)}</dd></div>
					<div><dt>24 h</dt><dd className={total < before ? 'down' : total > before ? 'up' : ''}>{change(total, before)}</dd></div>
					<div><dt>Coins</dt><dd>{held.length}{unknown > 0 && <span className="muted"> ({unknown} without a price)</span>}</dd></div>
				</dl>
			)}
			<AddHolding held={held} onAdd={one => keep([...held, one], `Added ${one.name}.`)} />
			{held.length ? (
				<ul className="holdings" aria-label="Holdings">
					<li className="holding-heads" aria-hidden="true"><span>Coin</span><span>Amount</span><span>Price, 24 h</span><span>Value, share</span><span /></li>
					{sorted.map(one => (
						<HoldingRow key={one.id} held={one} total={total} loaded={state === 'ready'}
							onAmount={amount => keep(held.map(other => (other.id === one.id ? { ...other, amount } : other)), null)}
							onRemove={() => keep(held.filter(other => other.id !== one.id), `Removed ${market.byId(one.id)?.name ?? one.name}.`, held)} />
					))}
				</ul>
			) : (
				<div className="empty">
					<PortfolioIcon />
					<h2>Nothing here yet</h2>
					<p>Add a coin and how much of it you hold; its value follows the market. Amounts stay in this browser.</p>
				</div>
			)}
		</div>
	)
}

function change(total: number, before: number): string {
	if (!before) return '–'
	const by = total - before
	const size = formatPrice(Math.abs(by))
	return `${by < 0 ? '−' : by > 0 ? '+' : ''}${size} (${formatPercent((100 * by) / before)})`
}

/** Render when a coin that is held moved, twice a second at most. */
function useLive(held: readonly Holding[]): void {
	const [, render] = useReducer((n: number) => n + 1, 0)
	const { count } = useMarket()
	useEffect(() => {
		const ids = new Set(held.map(one => one.id))
		let timer = 0
		const stop = market.subscribe(changed => {
			if (timer) return
			for (const coin of changed) {
				if (!ids.has(coin.id)) continue
				timer = window.setTimeout(() => {
					timer = 0
					render()
				}, RENDER_MS)
				return
			}
		})
		return () => {
			stop()
			clearTimeout(timer)
		}
	}, [held, count])
}

interface FilesProps {
	held: readonly Holding[]
	keep: (next: readonly Holding[], text: string, undo: readonly Holding[]) => void
	say: (text: string) => void
}

function Files({ held, keep, say }: FilesProps) {
	const file = useRef<HTMLInputElement>(null)

	function save(): void {
		const url = URL.createObjectURL(new Blob([exportHoldings()], { type: 'application/json' }))
		const link = document.createElement('a')
		link.href = url
		link.download = 'portfolio.json'
		link.click()
		setTimeout(() => URL.revokeObjectURL(url), 10_000)
	}

	async function load(event: ChangeEvent<HTMLInputElement>): Promise<void> {
		const chosen = event.target.files?.[0]
		// the same file may be chosen again
		event.target.value = ''
		if (!chosen) return
		if (chosen.size > 1_000_000) return say(`${chosen.name} is too large to be a portfolio.`)
		try {
			const read = readHoldings(JSON.parse(await chosen.text()))
			if (!read || (!read.holdings.length && read.refused)) return say(`${chosen.name} holds no portfolio: {"portfolio":[{"id":"bitcoin","amount":"0.5"}]} is expected.`)
			const n = read.holdings.length
			keep(read.holdings, `Imported ${n} ${n === 1 ? 'coin' : 'coins'}${read.refused ? `; ${read.refused} ${read.refused === 1 ? 'entry was' : 'entries were'} refused` : ''}.`, held)
		} catch {
			say(`${chosen.name} is not JSON.`)
		}
	}

	return (
		<div className="files">
			<button className="button quiet" type="button" onClick={() => file.current?.click()}>Import</button>
			<input ref={file} type="file" accept="application/json,.json" hidden aria-label="Portfolio to import" onChange={event => void load(event)} />
			{held.length > 0 && <button className="button quiet" type="button" onClick={save}>Export</button>}
		</div>
	)
}
