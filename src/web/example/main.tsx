/**
 * The example of crypto-rt-react: each of its hooks in a part of the page that can be taken away and brought back.
 */
import { StrictMode, useState, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { BigPrice } from './big-price'
import { CoinList } from './coin-list'
import { Market } from './market'
import { StreamLog } from './stream-log'
import { TickerStrip } from './ticker-strip'
import './style.css'

const parts: Record<string, { title: string; hook: string; part: () => ReactNode; wide?: boolean }> = {
	ticker: { title: 'Ticker', hook: 'useCryptoPrice', part: () => <TickerStrip />, wide: true },
	price: { title: 'One price', hook: 'useCryptoPrice', part: () => <BigPrice /> },
	list: { title: 'Your list', hook: 'useCryptoPrices', part: () => <CoinList /> },
	stream: { title: 'Stream', hook: 'useCryptoStream', part: () => <StreamLog /> }
}

function App() {
	const [shown, setShown] = useState<ReadonlySet<string>>(() => new Set(Object.keys(parts)))
	const toggle = (name: string) =>
		setShown(before => {
			const after = new Set(before)
			if (!after.delete(name)) after.add(name)
			return after
		})
	return (
		<>
			<header className="top">
				<h1>crypto-rt-react</h1>
				<Market />
			</header>
			<nav className="toggles" aria-label="Parts of the page">
				{Object.entries(parts).map(([name, { title }]) => (
					<button key={name} type="button" aria-pressed={shown.has(name)} onClick={() => toggle(name)}>
						{title}
					</button>
				))}
			</nav>
			<main>
				{Object.entries(parts).map(
					([name, { title, hook, part, wide }]) =>
						shown.has(name) && (
							<section key={name} id={name} className={wide ? 'card wide' : 'card'} aria-labelledby={`${name}-title`}>
								<header>
									<h2 id={`${name}-title`}>{title}</h2>
									<code>{hook}</code>
								</header>
								{part()}
							</section>
						)
				)}
			</main>
		</>
	)
}

createRoot(document.getElementById('root')!).render(
	<StrictMode>
		<App />
	</StrictMode>
)
