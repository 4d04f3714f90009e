// The page of all coins, and that of the starred ones: heading, sums, search, table.
import { useCallback, useEffect, useRef, useState } from 'react'
import { SearchIcon, StarIcon, WarnIcon } from './icons'
import { keepList, openList, type Column, type ListName, type Sort } from './liststate'
import { market, useMarket } from './market'
import { useOrder } from './order'
import { useTitle } from './route'
import { SearchField } from './searchfield'
import { Summary } from './summary'
import { Table, type TableHandle } from './table'
import { useWatchlist } from './watchlist'

const ASCENDING_FIRST: readonly Column[] = ['rank', 'name']
/** The pointer that rests on a row holds the order for so long after its last move, scrolling for less. */
const HOLD_POINTER_MS = 30_000
const HOLD_SCROLL_MS = 700

export function ListPage({ page }: { page: ListName }) {
	const [opened] = useState(() => openList(page))
	const [query, setQuery] = useState(opened.query)
	const [sort, setSort] = useState<Sort | null>(opened.sort)
	const watched = useWatchlist()
	const only = page === 'watchlist' ? watched : null
	const table = useRef<TableHandle>(null)
	const { hold, held } = useHold()
	const rows = useOrder(query, sort, only, held)
	const { state, count, error } = useMarket()
	useTitle(page === 'coins' ? 'Crypto prices' : 'Watchlist')
	useFollowUrl(page, (query, sort) => {
		setQuery(query)
		setSort(sort)
	})

	const search = useCallback((text: string) => {
		setQuery(text)
		// the best match first, until another order is asked for
		setSort(before => (text && !opened.query ? null : before))
		keepList(page, { query: text, ...(text && !opened.query ? { sort: null } : {}) })
		table.current?.toTop()
	}, [page, opened])

	const sortBy = useCallback((column: Column) => {
		setSort(before => {
			const descending = before?.column === column ? !before.descending : !ASCENDING_FIRST.includes(column)
			const next = column === 'rank' && !descending && !query ? null : { column, descending }
			keepList(page, { sort: next })
			return next
		})
	}, [page, query])

	const nothingWatched = page === 'watchlist' && !watched.length
	return (
		<div className="page list-page" data-state={state}>
			<div className="list-top">
				<h1 tabIndex={-1}>{page === 'coins' ? 'Crypto prices' : 'Watchlist'}</h1>
				{page === 'coins' && <Summary />}
			</div>
			{nothingWatched ? <NothingWatched /> : state === 'error' ? <LoadFailed error={error} /> : (
				<>
					<div className="toolbar">
						<SearchField query={query} onQuery={search} found={rows.length} of={state !== 'ready' ? 0 : only ? only.length : count}
							onDown={() => table.current?.focusFirst()} onEnter={() => table.current?.openFirst()} />
						{error && <Problem error={error} partial={state === 'partial'} />}
					</div>
					<Table ref={table} page={page} rows={rows} loading={state === 'loading' || (page === 'watchlist' && state === 'partial' && !rows.length)}
						sort={sort ?? (query ? null : { column: 'rank', descending: false })} onSort={sortBy} onHold={hold} onEscape={() => search('')}
						empty={<NoMatch query={query} partial={state === 'partial'} onClear={() => search('')} />} />
				</>
			)}
		</div>
	)
}

/** While the user points at rows or scrolls, their order is left alone. */
function useHold() {
	const until = useRef(0)
	const hold = useCallback((why: 'pointer' | 'scroll' | 'end') => {
		const now = performance.now()
		if (why === 'end') until.current = Math.min(until.current, now + HOLD_SCROLL_MS)
		else until.current = Math.max(until.current, now + (why === 'pointer' ? HOLD_POINTER_MS : HOLD_SCROLL_MS))
	}, [])
	const held = useCallback(() => performance.now() < until.current, [])
	return { hold, held }
}

/** The address may be edited, or a link with a query followed, while the list is shown. */
function useFollowUrl(page: ListName, follow: (query: string, sort: Sort | null) => void): void {
	useEffect(() => {
		function onHash(): void {
			const { query, sort } = openList(page)
			follow(query, sort)
		}
		window.addEventListener('hashchange', onHash)
		return () => window.removeEventListener('hashchange', onHash)
	})
}

function NothingWatched() {
	return (
		<div className="empty">
			<StarIcon on={false} />
			<h2>No coins starred yet</h2>
			<p>Star a coin, in the list or on its own page, and it stands here. The list is kept in this browser.</p>
			<p><a className="button" href="#/">All coins</a></p>
		</div>
	)
}

function NoMatch({ query, partial, onClear }: { query: string; partial: boolean; onClear: () => void }) {
	return (
		<div className="empty">
			<SearchIcon />
			<h2>{partial ? 'Not among the first hundred' : `No coin matches “${query}”`}</h2>
			<p>{partial ? 'The other coins are being loaded.' : 'Names, symbols and ids are searched.'}</p>
			<p><button className="button" type="button" onClick={onClear}>Clear the search</button></p>
		</div>
	)
}

function LoadFailed({ error }: { error: string | null }) {
	return (
		<div className="empty" role="alert">
			<WarnIcon />
			<h2>Prices could not be loaded</h2>
			<p>{error}. <RetryIn /></p>
			<p><button className="button" type="button" onClick={market.retry}>Try again now</button></p>
		</div>
	)
}

function Problem({ error, partial }: { error: string; partial: boolean }) {
	return (
		<p className="problem" role="status">
			<WarnIcon />
			<span>{partial ? 'Only the first hundred coins are here' : 'Volumes and market caps are not being refreshed'}: {error}.</span>
			<button className="link" type="button" onClick={market.retry}>Try again</button>
		</p>
	)
}

function RetryIn() {
	const { retryAt } = useMarket()
	const [now, setNow] = useState(Date.now)
	useEffect(() => {
		const timer = setInterval(() => setNow(Date.now()), 1000)
		return () => clearInterval(timer)
	}, [])
	if (retryAt === null) return <>Trying again…</>
	return <>Trying again in {Math.max(0, Math.ceil((retryAt - now) / 1000))} s.</>
}
