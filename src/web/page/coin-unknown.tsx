// What stands in place of a coin that is not there: a mistyped address, or a coin that is not listed any more. Names the likely ones.
import { coinHref } from './route'
import { listHref } from './liststate'
import { market, type Coin } from './market'
import { searchCoins } from './search'

const most = 6

/** How many letters were mistyped: left out, put in, replaced, or swapped with the next; `limit` + 1 when more than that. */
export function mistyped(a: string, b: string, limit: number): number {
	if (Math.abs(a.length - b.length) > limit) return limit + 1
	let [older, above] = [[] as number[], Array.from({ length: b.length + 1 }, (_, i) => i)]
	for (let i = 1; i <= a.length; i++) {
		const line = [i]
		for (let j = 1; j <= b.length; j++) {
			let least = Math.min(above[j]! + 1, line[j - 1]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
			if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, older[j - 2]! + 1)
			line.push(least)
		}
		if (Math.min(...line) > limit) return limit + 1
		;[older, above] = [above, line]
	}
	return above[b.length]!
}

/** The likeliest first: what holds these letters, then what is a few wrong letters away, the better known before the others. */
export function closeMatches(id: string): Coin[] {
	const coins = market.coins()
	const limit = Math.min(3, Math.max(1, Math.floor(id.length / 4)))
	const near = coins
		.map(coin => ({ coin, wrong: Math.min(mistyped(id, coin.id, limit), mistyped(id, coin.symbol.toLowerCase(), Math.min(limit, 1)) + 1) }))
		.filter(it => it.wrong <= limit)
		.sort((a, b) => a.wrong - b.wrong || a.coin.rank - b.coin.rank)
		.map(it => it.coin)
	const found = [...searchCoins(coins, id), ...searchCoins(coins, id.replace(/[-_]+/g, ' ')), ...near]
	return [...new Set(found)].slice(0, most)
}

export function UnknownCoin({ id, searched }: { id: string; searched: boolean }) {
	const close = searched ? closeMatches(id) : []
	return (
		<div className="page coin-page empty coin-unknown">
			<h1 tabIndex={-1}>There is no coin “{id}”</h1>
			<p>It may be written otherwise, or is not listed any more.</p>
			{!searched && <p>Looking for coins that are written alike …</p>}
			{close.length > 0 && (
				<>
					<h2>Did you mean</h2>
					<ul>
						{close.map(coin => (
							<li key={coin.id}>
								<a href={coinHref(coin.id)}>{coin.name} <span className="coin-symbol">{coin.symbol}</span></a>
							</li>
						))}
					</ul>
				</>
			)}
			<p><a className="button" href={listHref('coins')}>All coins</a></p>
		</div>
	)
}
