// The shell: header, banners, the page that the URL's hash names, footer. Coins and watchlist come with it, the other pages are loaded when they are asked for.
import { Component, lazy, Suspense, useEffect, useLayoutEffect, useRef, type MouseEvent, type ReactNode, type RefObject } from 'react'
import { formatPrice, useMarketStatus, type MarketStatus } from 'crypto-rt-react'
import { Banners } from './banners'
import { CoinsIcon, MoonIcon, PortfolioIcon, StarIcon, StatusIcon, SunIcon, SystemIcon } from './icons'
import { ListPage } from './list'
import { listHref } from './liststate'
import { market } from './market'
import { useRoute, useTitle, type Route } from './route'
import { setTheme, useTheme, type ThemeChoice } from './theme'

declare const CRYPTO_RT_VERSION: string

const CoinPage = lazy(() => import('./coin').then(module => ({ default: module.CoinPage })))
const PortfolioPage = lazy(() => import('./portfolio').then(module => ({ default: module.PortfolioPage })))
const StatusPage = lazy(() => import('./status').then(module => ({ default: module.StatusPage })))

export function App() {
	const route = useRoute()
	const main = useRef<HTMLElement>(null)
	useFocusOnRoute(route, main)
	useScrollbarWidth(main)
	return (
		<>
			<Header route={route} onSkip={event => skip(event, main.current)} />
			<div className="banners" role="region" aria-label="Notices"><Banners /></div>
			<main id="main" ref={main} tabIndex={-1} data-page={route.page}>
				<Failsafe key={route.page}>
					<Suspense fallback={<p className="page loading">Loading…</p>}>
						<Page route={route} />
					</Suspense>
				</Failsafe>
			</main>
			<Footer />
		</>
	)
}

function Page({ route }: { route: Route }) {
	switch (route.page) {
		case 'coins':
		case 'watchlist':
			return <ListPage key={route.page} page={route.page} />
		case 'coin':
			return <><CoinTitle id={route.id} /><CoinPage key={route.id} id={route.id} /></>
		case 'portfolio':
			return <PortfolioPage />
		case 'status':
			return <Titled title="Status"><StatusPage /></Titled>
		case 'unknown':
			return <UnknownPage path={route.path} />
	}
}

function Titled({ title, children }: { title: string; children: ReactNode }) {
	useTitle(title)
	return children
}

/** The price stands in the tab's title, also while another tab is looked at. */
function CoinTitle({ id }: { id: string }) {
	useEffect(() => {
		function write(): void {
			const coin = market.byId(id)
			document.title = coin ? `${formatPrice(coin.price)} · ${coin.symbol} ${coin.name} · crypto_rt` : `${id} · crypto_rt`
		}
		write()
		const timer = setInterval(write, 1000)
		return () => clearInterval(timer)
	}, [id])
	return null
}

function UnknownPage({ path }: { path: string }) {
	useTitle('Not found')
	return (
		<div className="page empty">
			<h1 tabIndex={-1}>There is no such page</h1>
			<p>Nothing is at <code>#{path}</code>.</p>
			<p><a className="button" href="#/">All coins</a></p>
		</div>
	)
}

function skip(event: MouseEvent, main: HTMLElement | null): void {
	event.preventDefault()
	;(main?.querySelector<HTMLElement>('h1') ?? main)?.focus()
}

/** After going to another page its heading has the focus, as soon as it is there. Lists put back their scroll position by themselves. */
function useFocusOnRoute(route: Route, ref: RefObject<HTMLElement | null>): void {
	const shown = useRef(route)
	useLayoutEffect(() => {
		const main = ref.current
		if (shown.current === route || !main) return
		shown.current = route
		if (route.page !== 'coins' && route.page !== 'watchlist') main.scrollTop = 0
		function focus(): boolean {
			const heading = ref.current?.querySelector('h1')
			if (!heading) return false
			heading.tabIndex = -1
			heading.focus({ preventScroll: true })
			return true
		}
		if (focus()) return
		const observer = new MutationObserver(() => focus() && observer.disconnect())
		observer.observe(main, { childList: true, subtree: true })
		return () => observer.disconnect()
	}, [route, ref])
}

/** For the style sheet: header and footer do not scroll, and leave as much room at the right as the scroller's bar takes. */
function useScrollbarWidth(ref: RefObject<HTMLElement | null>): void {
	useEffect(() => {
		const main = ref.current
		if (!main) return
		const observer = new ResizeObserver(() => document.documentElement.style.setProperty('--scrollbar', `${main.offsetWidth - main.clientWidth}px`))
		observer.observe(main)
		return () => observer.disconnect()
	}, [ref])
}

const NAV: readonly [Route['page'], string, string, ReactNode][] = [
	['coins', '#/', 'Coins', <CoinsIcon />],
	['watchlist', '#/watchlist', 'Watchlist', <StarIcon on={false} />],
	['portfolio', '#/portfolio', 'Portfolio', <PortfolioIcon />],
	['status', '#/status', 'Status', <StatusIcon />]
]

function Header({ route, onSkip }: { route: Route; onSkip: (event: MouseEvent) => void }) {
	return (
		<header className="top">
			<a className="skip" href="#/" onClick={onSkip}>Skip to content</a>
			<a className="brand" href="#/" aria-label="crypto_rt, all coins">
				<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
					<rect width="24" height="24" rx="6" className="brand-tile" />
					<path d="M4.5 14.5l4-4 3.5 3 6.5-7" className="brand-line" />
					<circle cx="18.5" cy="6.5" r="2" className="brand-dot" />
				</svg>
				<span>crypto<b>_rt</b></span>
			</a>
			<nav aria-label="Pages">
				{NAV.map(([page, href, text, icon]) => (
					<a key={page} href={page === 'coins' || page === 'watchlist' ? listHref(page) : href}
						aria-current={route.page === page ? 'page' : undefined} data-within={page === 'coins' && route.page === 'coin' ? '' : undefined}>
						{icon}<span>{text}</span>
					</a>
				))}
			</nav>
			<Status />
			<ThemeButton />
		</header>
	)
}

const SPOKEN: Record<MarketStatus['state'], string> = {
	connecting: 'Connecting', live: 'Prices are live', delayed: 'Prices are delayed', offline: 'Connection lost, reconnecting'
}

/** The label counts seconds; screen readers are told only when the state changes. */
function Status() {
	const status = useMarketStatus()
	return (
		<div className="market-status" data-state={status.state}>
			<span className="dot" aria-hidden="true" />
			<span className="label">{status.label}</span>
			<span className="hidden" role="status">{SPOKEN[status.state]}</span>
		</div>
	)
}

const THEMES: readonly ThemeChoice[] = ['system', 'light', 'dark']
const THEME_ICON = { system: <SystemIcon />, light: <SunIcon />, dark: <MoonIcon /> }

function ThemeButton() {
	const { choice } = useTheme()
	const next = THEMES[(THEMES.indexOf(choice) + 1) % THEMES.length] ?? 'system'
	return (
		<button className="icon-button" type="button" onClick={() => setTheme(next)} title={`Theme: ${choice}`} aria-label={`Theme: ${choice}. Change to ${next}`}>
			{THEME_ICON[choice]}
		</button>
	)
}

function Footer() {
	return (
		<footer>
			<span>Data: CoinLore</span>
			<a href="https://www.tradingview.com/" target="_blank" rel="noreferrer">Charts by TradingView Lightweight Charts</a>
			<span className="version">crypto_rt {CRYPTO_RT_VERSION}</span>
		</footer>
	)
}

/** A page that fails (a chunk that does not load, a defect) leaves the shell standing. */
class Failsafe extends Component<{ children: ReactNode }, { error: Error | null }> {
	override state: { error: Error | null } = { error: null }
	static getDerivedStateFromError(error: Error) {
		return { error }
	}
	override render() {
		const { error } = this.state
		if (!error) return this.props.children
		return (
			<div className="page empty" role="alert">
				<h1 tabIndex={-1}>This page could not be shown</h1>
				<p>{error.message || String(error)}</p>
				<p><button className="button" type="button" onClick={() => location.reload()}>Load the page again</button></p>
			</div>
		)
	}
}
