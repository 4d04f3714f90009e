// What a list remembers while another page is shown: search and order (also in the URL, behind the hash), scroll position, active row.
import { hashQuery, replaceHashQuery } from './route'

export type Column = 'rank' | 'name' | 'price' | 'change1h' | 'change24h' | 'change7d' | 'volume24h' | 'marketCap'

export interface Sort {
	column: Column
	descending: boolean
}

export type ListName = 'coins' | 'watchlist'

export interface ListState {
	query: string
	/** null: by how well they match while something is searched, otherwise by rank */
	sort: Sort | null
	scroll: number
	activeId: string | null
}

const columns: readonly string[] = ['rank', 'name', 'price', 'change1h', 'change24h', 'change7d', 'volume24h', 'marketCap']
const lists: Record<ListName, ListState> = {
	coins: { query: '', sort: null, scroll: 0, activeId: null },
	watchlist: { query: '', sort: null, scroll: 0, activeId: null }
}

function toQuery({ query, sort }: ListState): URLSearchParams {
	const search = new URLSearchParams()
	if (query) search.set('q', query)
	if (sort) search.set('sort', (sort.descending ? '-' : '') + sort.column)
	return search
}

/** The list's state, with what the URL says. A bare URL means a bare list. */
export function openList(name: ListName): ListState {
	const list = lists[name]
	const search = hashQuery()
	const sort = /^(-?)(\w+)$/.exec(search.get('sort') ?? '')
	const next = {
		query: search.get('q') ?? '',
		sort: sort && columns.includes(sort[2] ?? '') ? { column: sort[2] as Column, descending: sort[1] === '-' } : null
	}
	if (next.query !== list.query) list.scroll = 0
	return Object.assign(list, next)
}

export function keepList(name: ListName, change: Partial<ListState>): void {
	Object.assign(lists[name], change)
	if ('query' in change || 'sort' in change) replaceHashQuery(toQuery(lists[name]))
}

/** A link to the list as it was left. */
export function listHref(name: ListName): string {
	const query = toQuery(lists[name]).toString()
	return `#/${name === 'coins' ? '' : name}${query ? `?${query}` : ''}`
}
