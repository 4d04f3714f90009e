// Pages by the URL's hash, so that the daemon serves one file: #/, #/coin/<id>, #/watchlist, #/portfolio, #/status. The list's search and
// order are a query behind it: #/?q=eth&sort=-volume24h.
import { useEffect, useSyncExternalStore } from 'react'

export type Route =
	| { page: 'coins' | 'watchlist' | 'portfolio' | 'status' }
	| { page: 'coin'; id: string }
	| { page: 'unknown'; path: string }

const PRODUCT = 'crypto_rt'

export function parseRoute(hash: string): Route {
	const path = (hash.replace(/^#/, '').split('?')[0] ?? '').replace(/\/+$/, '')
	switch (path) {
		case '':
			return { page: 'coins' }
		case '/watchlist':
		case '/portfolio':
		case '/status':
			return { page: path.slice(1) as 'watchlist' | 'portfolio' | 'status' }
	}
	const coin = /^\/coin\/([^/]+)$/.exec(path)?.[1]
	try {
		if (coin) return { page: 'coin', id: decodeURIComponent(coin).toLowerCase() }
	} catch {
		// a stray % is no coin's
	}
	return { page: 'unknown', path }
}

export function coinHref(id: string): string {
	return `#/coin/${encodeURIComponent(id)}`
}

/** The query behind the hash's path. */
export function hashQuery(): URLSearchParams {
	return new URLSearchParams(location.hash.split('?')[1] ?? '')
}

/** Put this query behind the hash, without a step in the history. */
export function replaceHashQuery(query: URLSearchParams): void {
	const path = location.hash.split('?')[0] || '#/'
	const text = query.toString()
	history.replaceState(history.state, '', text ? `${path}?${text}` : path)
}

let last = ''
let route: Route = { page: 'coins' }

/** The same object as long as the path is the same: a new query is no new route. */
export function currentRoute(): Route {
	const path = location.hash.split('?')[0] ?? ''
	if (path !== last || last === '') {
		const next = parseRoute(path)
		if (JSON.stringify(next) !== JSON.stringify(route)) route = next
		last = path
	}
	return route
}

function subscribe(listener: () => void): () => void {
	window.addEventListener('hashchange', listener)
	return () => window.removeEventListener('hashchange', listener)
}

export function useRoute(): Route {
	return useSyncExternalStore(subscribe, currentRoute)
}

export function navigate(href: string): void {
	location.hash = href
}

export function useTitle(title: string): void {
	useEffect(() => {
		document.title = title ? `${title} · ${PRODUCT}` : PRODUCT
	}, [title])
}
