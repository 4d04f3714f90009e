// The portfolio's holdings: amounts per coin, as text so that no digit is lost, kept in the browser; and what they are worth.
import type { Coin } from './market'
import { stored, useStored } from './storage'

export interface Holding {
	id: string
	symbol: string
	name: string
	/** a decimal number above zero, without exponent */
	amount: string
}

const MOST = 500
const DECIMALS = 18
const WHOLE = 15

/** An amount as the user writes it, or what is wrong with it. */
export function parseAmount(text: string): { amount: string; error: null } | { amount: null; error: string } {
	const wrong = (error: string) => ({ amount: null, error })
	const bare = text.trim().replace(/[\s_]/g, '')
	if (!bare) return wrong('Enter an amount.')
	if (/^[-−]/.test(bare)) return wrong('The amount cannot be negative.')
	if (bare.includes(',')) return wrong('Write decimals with a point and thousands without a comma, like 1250.5.')
	const parts = /^(\d*)(?:\.(\d*))?$/.exec(bare)
	if (!parts || !(parts[1] || parts[2])) return wrong('That is not a number.')
	const whole = (parts[1] ?? '').replace(/^0+(?=\d)/, '') || '0'
	const decimals = (parts[2] ?? '').replace(/0+$/, '')
	if (whole.length > WHOLE) return wrong('That is more than there can be.')
	if (decimals.length > DECIMALS) return wrong(`At most ${DECIMALS} decimals.`)
	if (whole === '0' && !decimals) return wrong('The amount must be more than zero.')
	return { amount: decimals ? `${whole}.${decimals}` : whole, error: null }
}

/** Without an exponent, which small numbers get. */
function plain(n: number): string {
	const text = String(n)
	return text.includes('e') ? n.toFixed(DECIMALS) : text
}

function holding(value: unknown): Holding | null {
	if (typeof value !== 'object' || value === null) return null
	const { id, symbol, name, amount } = value as Record<string, unknown>
	if (typeof id !== 'string' || !id || id.length > 95) return null
	const parsed = parseAmount(typeof amount === 'number' ? plain(amount) : typeof amount === 'string' ? amount : '')
	if (parsed.amount === null) return null
	const text = (given: unknown, otherwise: string) => (typeof given === 'string' && given ? given.slice(0, 100) : otherwise)
	return { id, symbol: text(symbol, id.toUpperCase()), name: text(name, id), amount: parsed.amount }
}

/** A list of holdings in what JSON.parse gave, one per coin; and how many entries were no holdings. */
export function readHoldings(value: unknown): { holdings: Holding[]; refused: number } | undefined {
	const list = Array.isArray(value) ? value : (value as { portfolio?: unknown } | null)?.portfolio
	if (!Array.isArray(list)) return undefined
	const byId = new Map<string, Holding>()
	for (const entry of list as unknown[]) {
		const one = holding(entry)
		if (one && byId.size < MOST) byId.set(one.id, one)
	}
	return { holdings: [...byId.values()], refused: list.length - byId.size }
}

export const holdings = stored<readonly Holding[]>('portfolio', [], value => readHoldings(value)?.holdings)

export function useHoldings(): readonly Holding[] {
	return useStored(holdings)
}

export function exportHoldings(): string {
	return JSON.stringify({ portfolio: holdings.get() }, null, '\t') + '\n'
}

export interface Worth {
	value: number
	/** of a day ago, as far as it is known */
	before: number
}

/** null: the coin has no price here */
export function worth(held: Holding, coin: Coin | undefined): Worth | null {
	if (!coin) return null
	const value = Number(held.amount) * coin.price
	const change = coin.change24h
	return { value, before: change === null || change <= -100 ? value : value / (1 + change / 100) }
}
