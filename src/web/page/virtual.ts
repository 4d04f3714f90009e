// Virtual rows of one height: which of them are in sight of the scroller, and a few beyond. They are rendered within the scroll event, so
// that the frame that shows the new position has its rows; and only when what is in sight leaves what is rendered.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { flushSync } from 'react-dom'

/** So many rows beyond each edge; when nothing that is rendered is in sight any more, the scroller is on its way and none will do. */
const BEYOND = 6
/** Scrolling is over when no more of it came for so long. */
const SETTLED_MS = 150
const NONE = { first: Infinity, end: -Infinity }

export interface VirtualRows {
	first: number
	/** one beyond the last */
	end: number
	/** rows that fit in sight */
	fitting: number
	/** never more rows than that at once */
	most: number
	/** scrolling is under way */
	moving: boolean
	/** Scroll no further than needed to show it. */
	reveal(index: number): void
}

interface Options {
	count: number
	height: number
	/** px from the top of what is scrolled to the first row */
	margin: number
	/** px at the top of the scroller that are covered by what sticks there */
	covered: number
	/** where to begin */
	scroll: number
	onScroll: (scroll: number) => void
}

function scroller(): HTMLElement | null {
	return document.getElementById('main')
}

export function useVirtualRows({ count, height, margin, covered, scroll, onScroll }: Options): VirtualRows {
	const view = useRef(window.innerHeight)
	const [range, setRange] = useState(() => around(scroll, BEYOND))
	const [moving, setMoving] = useState(false)
	const rendered = useRef(range)

	function around(top: number, beyond: number): { first: number; end: number } {
		return { first: Math.floor((top - margin) / height) - beyond, end: Math.ceil((top - margin + view.current) / height) + beyond }
	}

	const update = useCallback((sync: boolean) => {
		const top = scroller()?.scrollTop ?? 0
		const inSight = around(top, 0)
		const { first, end } = rendered.current
		if (inSight.first >= first && inSight.end <= end) return
		const next = sync && (inSight.first >= end || inSight.end <= first) ? inSight : around(top, BEYOND)
		rendered.current = next
		if (!sync) return setRange(next)
		flushSync(() => {
			setMoving(true)
			setRange(next)
		})
	// eslint-disable-next-line react-hooks/exhaustive-deps -- around depends on these
	}, [height, margin])

	useLayoutEffect(() => {
		const main = scroller()
		if (main) main.scrollTop = scroll
	// eslint-disable-next-line react-hooks/exhaustive-deps -- where it begins, and no more
	}, [])

	useLayoutEffect(() => {
		rendered.current = NONE
		update(false)
	}, [update, count])

	useEffect(() => {
		const main = scroller()
		if (!main) return
		let timer = 0
		function scrolled(): void {
			onScroll(main?.scrollTop ?? 0)
			update(true)
			clearTimeout(timer)
			timer = window.setTimeout(settled, SETTLED_MS)
		}
		function settled(): void {
			setMoving(false)
			update(false)
		}
		const observer = new ResizeObserver(() => {
			view.current = main.clientHeight
			rendered.current = NONE
			update(false)
		})
		main.addEventListener('scroll', scrolled, { passive: true })
		observer.observe(main)
		return () => {
			main.removeEventListener('scroll', scrolled)
			observer.disconnect()
			clearTimeout(timer)
		}
	}, [update, onScroll])

	return {
		first: Math.max(0, Math.min(range.first, count - 1)),
		end: Math.max(0, Math.min(range.end, count)),
		moving,
		most: Math.ceil(view.current / height) + 2 * BEYOND + 1,
		fitting: Math.max(1, Math.floor((view.current - covered) / height)),
		reveal(index) {
			const main = scroller()
			if (!main) return
			const top = margin + index * height
			if (top < main.scrollTop + covered) main.scrollTop = index ? top - covered : 0
			else if (top + height > main.scrollTop + view.current) main.scrollTop = top + height - view.current
			update(false)
		}
	}
}
