/**
 * Numbers as people expect to read them: enough digits for $0.00000812 and for $77,146.66, no exponents, the sign always there
 * where a change is told.  In English figures on every machine, so that a page looks the same rendered on a server.
 */

/** What stands where nothing is known: an en dash. */
const NOTHING = '–'
const MINUS = '−'

type Figure = number | null | undefined

const twoDigits = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const upToFourDigits = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 4 })
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 2 })
const compactPercent = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 })

/** Below it four significant digits are shown, from it on two decimals, and up to `UP_TO_FOUR` up to four. */
const ONE = 1
const UP_TO_FOUR = 10
const SIGNIFICANT = 4
/** Per cents from here on are compacted. */
const HUGE_PERCENT = 10_000
/** toFixed takes no more. */
const MOST_DECIMALS = 100

function known(n: Figure): n is number {
	return typeof n === 'number' && Number.isFinite(n)
}

/** Below one: four significant digits, without zeros at the end but for the first two decimals. */
function small(n: number): string {
	const exponent = Number(n.toExponential(SIGNIFICANT - 1).split('e')[1])
	const decimals = Math.min(SIGNIFICANT - 1 - exponent, MOST_DECIMALS)
	return n.toFixed(Math.max(decimals, 2)).replace(/(\.\d\d\d*?)0+$/, '$1')
}

function figure(n: number): string {
	if (n === 0) return '0.00'
	// what rounds up to one is shown as such
	if (n < ONE && Number(n.toPrecision(SIGNIFICANT)) < ONE) return small(n)
	return (n < UP_TO_FOUR ? upToFourDigits : twoDigits).format(n)
}

/** A price in US dollars: '$77,146.66', '$1.00', '$0.2345', '$0.00000812'. */
export function formatPrice(n: Figure): string {
	if (!known(n)) return NOTHING
	return (n < 0 ? MINUS : '') + '$' + figure(Math.abs(n))
}

/** A change in per cent: '+1.85 %', '−0.98 %', '0.00 %', '+22.5M %'. */
export function formatPercent(n: Figure): string {
	if (!known(n)) return NOTHING
	const size = Math.abs(n)
	const text = size >= HUGE_PERCENT ? compactPercent.format(size) : twoDigits.format(size)
	const sign = text === '0.00' ? '' : n < 0 ? MINUS : '+'
	return `${sign}${text} %`
}

/** A large amount in few characters: '1.54T', '26.28B'; with `unit` before it: formatCompact(1.54e12, '$') is '$1.54T'. */
export function formatCompact(n: Figure, unit = ''): string {
	if (!known(n)) return NOTHING
	const size = Math.abs(n)
	return (n < 0 ? MINUS : '') + unit + (size > 0 && size < ONE ? figure(size) : compact.format(size))
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long ago, in its largest unit: '43 s', '4 min', '2 h', '3 d'. */
export function formatAge(seconds: Figure): string {
	if (!known(seconds)) return NOTHING
	const s = Math.max(0, Math.floor(seconds))
	if (s < MINUTE) return `${s} s`
	if (s < HOUR) return `${Math.floor(s / MINUTE)} min`
	if (s < DAY) return `${Math.floor(s / HOUR)} h`
	return `${Math.floor(s / DAY)} d`
}
