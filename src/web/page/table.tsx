// The table of coins: a grid of virtual rows in the page's scroller. Rows are divs placed by transform; the mouse is heard here, not in
// each row. One row has the keyboard: arrows, Home, End, PageUp and PageDown move it, Enter opens its coin, w stars it.
import {
	useCallback, useImperativeHandle, useLayoutEffect, useRef, useState, useSyncExternalStore,
	type KeyboardEvent, type MouseEvent, type ReactNode, type Ref
} from 'react'
import { keepList, openList, type Column, type ListName, type Sort } from './liststate'
import type { Coin } from './market'
import { coinHref, navigate } from './route'
import { BoneRow, Row } from './row'
import { useVirtualRows } from './virtual'
import { watchlist } from './watchlist'

const PHONE = window.matchMedia('(max-width: 719px)')
const ROW_HEIGHT = { desktop: 48, phone: 58 }
const BONES = 24

interface Head { column: Column; text: string; className: string; label?: string }

const HEADS: readonly Head[] = [
	{ column: 'rank', text: '#', label: '#, rank', className: 'c-rank' },
	{ column: 'name', text: 'Coin', className: 'c-name' },
	{ column: 'price', text: 'Price', className: 'c-price' },
	{ column: 'change1h', text: '1 h', label: '1 h change', className: 'c-1h' },
	{ column: 'change24h', text: '24 h', label: '24 h change', className: 'c-24h' },
	{ column: 'change7d', text: '7 d', label: '7 d change', className: 'c-7d' },
	{ column: 'volume24h', text: 'Volume 24 h', className: 'c-volume' },
	{ column: 'marketCap', text: 'Market cap', className: 'c-cap' }
]

export interface TableHandle {
	focusFirst(): void
	openFirst(): void
	toTop(): void
}

interface Props {
	ref: Ref<TableHandle>
	page: ListName
	rows: readonly Coin[]
	loading: boolean
	sort: Sort | null
	onSort: (column: Column) => void
	onHold: (why: 'pointer' | 'scroll' | 'end') => void
	onEscape: () => void
	empty: ReactNode
}

function onPhone(listener: () => void): () => void {
	PHONE.addEventListener('change', listener)
	return () => PHONE.removeEventListener('change', listener)
}

export function Table({ ref, page, rows, loading, sort, onSort, onHold, onEscape, empty }: Props) {
	const phone = useSyncExternalStore(onPhone, () => PHONE.matches)
	const rowHeight = phone ? ROW_HEIGHT.phone : ROW_HEIGHT.desktop
	const body = useRef<HTMLDivElement>(null)
	const head = useRef<HTMLDivElement>(null)
	const [opened] = useState(() => openList(page))
	const [activeId, setActiveId] = useState(opened.activeId)
	const wantsFocus = useRef(false)
	const active = Math.max(0, activeId === null ? 0 : rows.findIndex(coin => coin.id === activeId))
	const { margin, sticky } = useOffsets(body, head)

	const onScroll = useCallback((scroll: number) => {
		onHold('scroll')
		keepList(page, { scroll })
	}, [onHold, page])
	const { first, end, fitting, most, moving, reveal } = useVirtualRows({ count: rows.length, height: rowHeight, margin, covered: sticky, scroll: opened.scroll, onScroll })

	useLayoutEffect(() => {
		if (!wantsFocus.current) return
		wantsFocus.current = false
		body.current?.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus({ preventScroll: true })
	})

	function activate(index: number, focus = true): void {
		const coin = rows[Math.max(0, Math.min(rows.length - 1, index))]
		if (!coin) return
		wantsFocus.current = focus
		setActiveId(coin.id)
		keepList(page, { activeId: coin.id })
		reveal(rows.indexOf(coin))
	}

	useImperativeHandle(ref, () => ({
		focusFirst: () => activate(0),
		openFirst: () => rows[0] && navigate(coinHref(rows[0].id)),
		toTop() {
			const scroller = document.getElementById('main')
			if (scroller && scroller.scrollTop > margin) scroller.scrollTop = Math.max(0, margin - sticky)
			setActiveId(null)
		}
	}))

	function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
		const onRow = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('.row[data-id]') : null
		if (event.ctrlKey || event.metaKey || event.altKey) return
		if (event.key === 'Escape') onEscape()
		else if (!onRow) return
		else {
			// the mouse may have put the focus into another row
			const at = Number(onRow.getAttribute('aria-rowindex')) - 2
			const onePage = Math.max(1, fitting - 1)
			const moves: Record<string, number> = {
				ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + onePage, PageUp: at - onePage, Home: 0, End: rows.length - 1
			}
			const to = moves[event.key]
			const coin = rows[at]
			if (to !== undefined) activate(to)
			else if (event.key === 'Enter' && event.target === onRow && coin) navigate(coinHref(coin.id))
			else if (event.key.toLowerCase() === 'w' && coin) watchlist.toggle(coin.id)
			else return
		}
		event.preventDefault()
	}

	const onClick = useCallback((event: MouseEvent<HTMLElement>) => {
		const target = event.target as HTMLElement
		const id = target.closest<HTMLElement>('.row')?.dataset.id
		if (!id) return
		keepList(page, { activeId: id })
		const star = target.closest<HTMLElement>('.star')
		if (!star) return
		watchlist.toggle(id)
		// by the mouse: the element may be another coin's after scrolling, and is not to be left with the keyboard
		if (event.detail) star.blur()
	}, [page])

	// a row that scrolls out of sight is the one that scrolls in: its elements are used again. Not the row that has the keyboard: it stays,
	// or the focus would be lost
	const indexes = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i)
	if (active < first) indexes.unshift(active)
	else if (active >= end && active < rows.length) indexes.push(active)
	// while scrolling the elements stay where they are in the document; when it is over they are put in order, for those who hear the page
	if (moving) indexes.sort((a, b) => (a === active ? most : a % most) - (b === active ? most : b % most))
	return (
		<div className="table" role="grid" aria-label={page === 'coins' ? 'Coins' : 'Starred coins'} aria-rowcount={loading ? -1 : rows.length + 1}
			aria-busy={loading} onKeyDown={onKeyDown} onClick={onClick}>
			<div className="head" role="rowgroup" ref={head}>
				<div className="row" role="row" aria-rowindex={1}>
					<span className="c-star" role="columnheader"><span className="hidden">Watch</span></span>
					{HEADS.map(({ column, text, className, label }) => {
						const sorted = sort?.column === column ? (sort.descending ? 'descending' : 'ascending') : 'none'
						return (
							<span key={column} className={className} role="columnheader" aria-sort={sorted}>
								<button type="button" onClick={() => onSort(column)} aria-label={label} data-sort={sorted}>{text}</button>
							</span>
						)
					})}
					<span className="c-spark" role="columnheader"><span className="long">Last </span>7 days</span>
				</div>
			</div>
			<div className="body" role="rowgroup" ref={body} style={loading ? undefined : { height: rows.length * rowHeight }}
				onPointerMove={() => onHold('pointer')} onPointerLeave={() => onHold('end')}>
				{loading ? Array.from({ length: BONES }, (_, i) => <BoneRow key={i} index={i} />) : indexes.map(index => {
					const coin = rows[index]
					return coin && <Row key={index === active ? coin.id : index % most} coin={coin} index={index} top={index * rowHeight} active={index === active} />
				})}
			</div>
			{!loading && !rows.length && <div role="row" className="empty-row"><div role="gridcell">{empty}</div></div>}
		</div>
	)
}

/** How far below the scroller's top the rows begin, and how much of its top is covered by what sticks there. */
function useOffsets(body: { current: HTMLElement | null }, head: { current: HTMLElement | null }): { margin: number; sticky: number } {
	const [offsets, setOffsets] = useState({ margin: 0, sticky: 0 })
	useLayoutEffect(() => {
		const main = document.getElementById('main')
		if (!main) return
		function measure(): void {
			if (!body.current || !head.current || !main) return
			const margin = Math.round(body.current.getBoundingClientRect().top - main.getBoundingClientRect().top + main.scrollTop)
			const sticky = Math.round(parseFloat(getComputedStyle(head.current).top) || 0) + head.current.offsetHeight
			setOffsets(before => (before.margin === margin && before.sticky === sticky ? before : { margin, sticky }))
		}
		measure()
		const observer = new ResizeObserver(measure)
		for (const element of [main, main.querySelector('.list-top'), main.querySelector('.toolbar')]) if (element) observer.observe(element)
		return () => observer.disconnect()
	}, [body, head])
	return offsets
}
