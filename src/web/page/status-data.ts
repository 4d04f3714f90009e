// What /api/v1/crypto/stats?history=true says, asked every 5 s while the page is seen. Anything in it may be null or missing: an older
// daemon, no database, a server that was started a moment ago. So it is read by functions that take anything and give null.
import { useEffect, useState } from 'react'

export type Row = Record<string, unknown>

const every = 5000
const patience = 8000

export const num = (x: unknown): number | null => (typeof x === 'number' && Number.isFinite(x) ? x : null)
export const text = (x: unknown): string | null => (typeof x === 'string' && x !== '' ? x : null)
export const row = (x: unknown): Row => (typeof x === 'object' && x !== null && !Array.isArray(x) ? (x as Row) : {})
export const rows = (x: unknown): Row[] => (Array.isArray(x) ? x.map(row) : [])
export const there = (x: unknown): boolean => x !== null && x !== undefined

/** Seconds of an interval as PostgreSQL writes it ('00:00:04.999788', '1 day 02:00:00'), or of a number. */
export function seconds(x: unknown): number | null {
	if (typeof x === 'number') return num(x)
	const found = /^(?:(-?\d+) days? ?)?(?:(\d+):(\d+):(\d+(?:\.\d+)?))?$/.exec(text(x) ?? '-')
	if (found === null || found[0] === '') return null
	const [, days = '0', h = '0', m = '0', s = '0'] = found
	return Number(days) * 86400 + Number(h) * 3600 + Number(m) * 60 + Number(s)
}

/** An interval to be read: '5 s', '4.9 s', '1 min', '2.5 min'. */
export function span(s: number | null): string {
	if (s === null) return '–'
	const trim = (n: number): string => n.toFixed(1).replace('.0', '')
	return s < 59.95 ? `${trim(s)} s` : s < 5400 ? `${trim(s / 60)} min` : s < 172800 ? `${trim(s / 3600)} h` : `${trim(s / 86400)} d`
}

const units = ['B', 'kB', 'MB', 'GB', 'TB']

export function bytes(n: number | null): string {
	if (n === null) return '–'
	const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3))
	const size = n / 1000 ** power
	return `${size.toFixed(power === 0 || size >= 100 ? 0 : 1)} ${units[power]}`
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

export const count = (x: unknown): string => {
	const n = num(x)
	return n === null ? '–' : grouped.format(n)
}

/** A rate or the like: no more digits than tell something. */
export function rate(n: number | null): string {
	if (n === null) return '–'
	return n === 0 ? '0' : n >= 100 ? grouped.format(n) : n >= 0.01 ? n.toFixed(n >= 10 ? 1 : 2).replace(/\.?0+$/, '') : '<0.01'
}

export interface Series {
	values: (number | null)[]
	/** unix seconds of the newest */
	until: number
	/** between two of them, in seconds */
	step: number
}

/** A list of the history, or null where the daemon keeps none of this name. */
export function series(history: Row, name: string): Series | null {
	const values = history[name]
	const until = num(history['until'])
	if (!Array.isArray(values) || until === null) return null
	return { values: values.map(num), until, step: num(history['interval_seconds']) || 10 }
}

export interface StatsState {
	/** the newest answer */
	stats: Row | null
	/** ms when it came */
	at: number
	/** what the daemon does instead of answering, as a verb */
	problem: string | null
	/** requests that failed by the daemon's fault (5xx) within the last minute, as far as it was watched */
	failed: number
}

/** PostgreSQL is being asked for the first time. */
export const waiting = (server: Row): boolean => !there(server['status']) && server['problem'] === 'no answer yet'

class Refused extends Error {}

export function useStats(): StatsState & { retry(): void } {
	const [state, setState] = useState<StatsState>({ stats: null, at: 0, problem: null, failed: 0 })
	const [turn, setTurn] = useState(0)
	useEffect(() => {
		const left = new AbortController()
		let timer: ReturnType<typeof setTimeout> | undefined
		let asking = false
		let errors: [at: number, count: number][] = []
		function failed(stats: Row): number {
			const count = num(row(stats['daemon'])['server_errors'])
			if (count === null) return 0
			const now = Date.now()
			// a daemon that was started anew counts from zero
			errors = errors.filter(([at, before]) => at > now - 60_000 && before <= count)
			errors.push([now, count])
			return count - errors[0]![1]
		}
		async function ask(): Promise<void> {
			clearTimeout(timer)
			if (document.hidden || asking) return
			asking = true
			const once = new AbortController()
			const leave = () => once.abort()
			const late = setTimeout(leave, patience)
			left.signal.addEventListener('abort', leave)
			try {
				const response = await fetch('/api/v1/crypto/stats?history=true', { signal: once.signal, cache: 'no-store' })
				if (!response.ok) throw new Refused(`answers with status ${response.status}`)
				const stats = row(await response.json())
				if (!left.signal.aborted) setState({ stats, at: Date.now(), problem: null, failed: failed(stats) })
			} catch (error) {
				if (!left.signal.aborted) setState(before => ({ ...before, problem: explain(error) }))
			} finally {
				clearTimeout(late)
				left.signal.removeEventListener('abort', leave)
				asking = false
				if (!left.signal.aborted && !document.hidden) timer = setTimeout(() => void ask(), every)
			}
		}
		const shown = () => void ask()
		document.addEventListener('visibilitychange', shown)
		void ask()
		return () => {
			document.removeEventListener('visibilitychange', shown)
			clearTimeout(timer)
			left.abort()
		}
	}, [turn])
	return { ...state, retry: () => setTurn(turn + 1) }
}

function explain(error: unknown): string {
	if (error instanceof DOMException && error.name === 'AbortError') return `has not answered within ${patience / 1000} s`
	if (error instanceof SyntaxError) return 'answers something that is no JSON'
	return error instanceof Refused ? error.message : 'cannot be reached'
}
