// The field above a list. `/` goes to it from anywhere, Down goes on into the rows, Enter opens the first, Escape clears. How many coins
// match is told when the typing pauses.
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { CloseIcon, SearchIcon } from './icons'
import { market } from './market'
import { prepareSearch } from './search'

const ANNOUNCE_MS = 700

interface Props {
	query: string
	found: number
	/** how many there are, 0: not known yet */
	of: number
	onQuery: (text: string) => void
	onDown: () => void
	onEnter: () => void
}

export function SearchField({ query, found, of, onQuery, onDown, onEnter }: Props) {
	const input = useRef<HTMLInputElement>(null)
	const [announced, setAnnounced] = useState('')

	useEffect(() => {
		function onKey(event: globalThis.KeyboardEvent): void {
			if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
			event.preventDefault()
			input.current?.focus()
			input.current?.select()
		}
		document.addEventListener('keydown', onKey)
		return () => document.removeEventListener('keydown', onKey)
	}, [])

	useEffect(() => {
		const timer = setTimeout(() => setAnnounced(query ? (found === 0 ? 'No coin matches' : `${found} ${found === 1 ? 'coin matches' : 'coins match'}`) : ''), ANNOUNCE_MS)
		return () => clearTimeout(timer)
	}, [query, found])

	function onKeyDown(event: KeyboardEvent): void {
		if (event.key === 'ArrowDown') onDown()
		else if (event.key === 'Enter') onEnter()
		else if (event.key === 'Escape' && query) onQuery('')
		else if (event.key === 'Escape') input.current?.blur()
		else return
		event.preventDefault()
	}

	return (
		<div className="search" role="search">
			<SearchIcon />
			<input ref={input} type="search" value={query} onFocus={() => prepareSearch(market.coins())} onChange={event => onQuery(event.target.value)} onKeyDown={onKeyDown}
				placeholder={of > 1 ? `Search ${of.toLocaleString('en-US')} coins` : 'Search coins'} aria-label="Search by name, symbol or id"
				aria-keyshortcuts="/" autoComplete="off" autoCapitalize="off" autoCorrect="off" spellCheck={false} enterKeyHint="search" />
			{query ? (
				<>
					<span className="found" aria-hidden="true">{found.toLocaleString('en-US')}</span>
					<button className="icon-button" type="button" aria-label="Clear the search" onClick={() => { onQuery(''); input.current?.focus() }}><CloseIcon /></button>
				</>
			) : <kbd aria-hidden="true">/</kbd>}
			<span className="hidden" role="status">{announced}</span>
		</div>
	)
}

export function isTyping(target: EventTarget | null): boolean {
	return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}
