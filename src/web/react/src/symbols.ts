/**
 * Symbols as the daemon understands them: any text such as 'BTC', 'BDCL BSC' or '喵喵喵喵喵', ASCII letters in any case, or
 * 'id:bitcoin'.  One that the daemon would refuse must never be asked for, since a stream is refused as a whole.
 */

/** What stands for all coins. */
export const ALL = '*'
export type Asked = ReadonlySet<string> | typeof ALL

const ID = 'id:'
const SYMBOL_BYTES = 63
const ID_BYTES = 95

/** The daemon takes no more in a list. */
const SYMBOLS_MOST = 1000
/** A bit less than the daemon's 4,096 for the whole line, and what proxies commonly take. */
const URL_BYTES_MOST = 3500

const upperCase = (text: string) => text.replace(/[a-z]+/g, letters => letters.toUpperCase())

/** The name under which a symbol is kept: without space around it, in upper case where that is ASCII. */
export function keyOf(symbol: string): string {
	const text = symbol.replace(/^[ \t]+|[ \t]+$/g, '')
	return text.slice(0, ID.length).toLowerCase() === ID && text.length > ID.length ? ID + text.slice(ID.length) : upperCase(text)
}

export const isId = (key: string) => key.startsWith(ID)
export const idOf = (key: string) => key.slice(ID.length)

/** What is wrong with a key; null: it can be asked for. */
export function refusal(key: string): string | null {
	if (key === '') return 'No symbol is given'
	if (key.includes(',')) return `“${key}” has a comma, and is not one symbol`
	if (/[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/u.test(key)) return 'The symbol has characters that are no text'
	const text = isId(key) ? idOf(key) : key
	if (new TextEncoder().encode(text).length > (isId(key) ? ID_BYTES : SYMBOL_BYTES)) return 'The symbol is too long'
	return null
}

/** Whether who gets `asked` gets all of `wanted`. */
export function covers(asked: Asked | null, wanted: Asked): boolean {
	if (asked === null || asked === ALL) return asked === ALL
	return wanted !== ALL && [...wanted].every(key => asked.has(key))
}

/** The list for ?symbols=, or null when it would be too long. */
export function listOf(keys: Iterable<string>, room: number): string | null {
	const parts: string[] = []
	for (const key of keys) parts.push(encodeURIComponent(key))
	const list = parts.sort().join(',')
	return parts.length <= SYMBOLS_MOST && list.length <= room ? list : null
}

/** A stream's address.  A list that is too long becomes all coins, from which the client takes its own. */
export function streamUrl(base: string, asked: Asked, lastEventId: string | null): { url: string; asked: Asked } {
	const path = `${base}/api/v1/crypto/stream?symbols=`
	const tail = lastEventId === null ? '' : `&lastEventId=${encodeURIComponent(lastEventId)}`
	const list = asked === ALL ? null : listOf(asked, URL_BYTES_MOST - path.length - tail.length)
	return { url: path + (list ?? ALL) + tail, asked: list === null ? ALL : asked }
}

/** Lists that each fit into an address. */
export function chunks(keys: readonly string[], base: string): string[] {
	const room = URL_BYTES_MOST - base.length - 64
	const whole = listOf(keys, room)
	if (whole !== null) return keys.length > 0 ? [whole] : []
	const half = keys.length >> 1
	return half > 0 ? [...chunks(keys.slice(0, half), base), ...chunks(keys.slice(half), base)] : []
}
