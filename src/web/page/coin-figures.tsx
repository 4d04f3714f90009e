// The figures of a coin's page that are read rather than watched: market capitalisation, volume, supply.
import type { ReactNode } from 'react'
import { formatCompact } from 'crypto-rt-react'
import { fixedPrice } from './candles'
import { useCoin, type Coin } from './market'

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const digits = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 })
const ratio = (n: number): string => `${digits.format(n * 100)} %`

function Figure({ label, children, title }: { label: string; children: ReactNode; title?: string | undefined }) {
	return <div><dt>{label}</dt><dd title={title}>{children}</dd></div>
}

const exact = (n: number | null, unit = ''): string | undefined => (n === null ? undefined : unit + whole.format(n))

export function Figures({ coin }: { coin: Coin }) {
	const bitcoin = useCoin('bitcoin')
	const { marketCap, volume24h } = coin
	return (
		<section className="panel coin-figures" aria-labelledby="figures-title">
			<h2 id="figures-title">Market</h2>
			<dl>
				<Figure label="Market cap" title={exact(marketCap, '$')}>{formatCompact(marketCap, '$')}</Figure>
				<Figure label="Volume, 24 h" title={exact(volume24h, '$')}>{formatCompact(volume24h, '$')}</Figure>
				<Figure label="Volume / market cap">{volume24h !== null && marketCap ? ratio(volume24h / marketCap) : '–'}</Figure>
				<Figure label="Price in BTC">{bitcoin && bitcoin.price > 0 ? inBitcoin(coin.price / bitcoin.price) : '–'}</Figure>
				<Figure label="Tier">{coin.tier ? `${coin.tier}, every ${coin.interval} s` : '–'}</Figure>
			</dl>
		</section>
	)
}

/** Down to a satoshi, and below that as many figures as tell something. */
function inBitcoin(n: number): string {
	if (n === 0) return '0'
	return n >= 1e-5 ? fixedPrice(n, 8) : fixedPrice(n, Math.min(60, 3 - Math.floor(Math.log10(n))))
}

/** What is in circulation, of what there will ever be, or of what there is when nobody knows that. */
export function Supply({ coin }: { coin: Coin }) {
	const { circulatingSupply, totalSupply, maxSupply } = coin
	const most = maxSupply || totalSupply
	const share = circulatingSupply !== null && most ? Math.min(1, circulatingSupply / most) : null
	const of = maxSupply ? 'maximum' : 'total'
	return (
		<section className="panel coin-figures" aria-labelledby="supply-title">
			<h2 id="supply-title">Supply</h2>
			{share !== null && (
				<div className="coin-supply">
					<div className="coin-bar" aria-hidden="true"><i style={{ width: `${share * 100}%` }} /></div>
					<p>{ratio(share)} of the {of} is in circulation</p>
				</div>
			)}
			<dl>
				<Figure label="Circulating" title={exact(circulatingSupply)}>{amount(circulatingSupply, coin.symbol)}</Figure>
				<Figure label="Total" title={exact(totalSupply)}>{amount(totalSupply, coin.symbol)}</Figure>
				<Figure label="Maximum" title={exact(maxSupply)}>{maxSupply ? amount(maxSupply, coin.symbol) : 'none known'}</Figure>
			</dl>
		</section>
	)
}

function amount(n: number | null, symbol: string): string {
	if (n === null) return '–'
	return `${n < 1e12 ? whole.format(n) : formatCompact(n)} ${symbol}`
}
