/**
 * The hooks.  Each reads a store outside of React by useSyncExternalStore, so that all parts of a page show the same price at the
 * same time, and a server renders what a browser does before anything has come.
 */
import { createContext, useContext, useEffect, useMemo, useRef, useSyncExternalStore, type ReactElement, type ReactNode } from 'react'
import { CryptoRtClient, defaultClient } from './client.js'
import { priceSource, pricesSource, type Source } from './prices.js'
import { connectingStatus, marketStatus } from './status.js'
import { streamSource, type StreamState } from './stream-source.js'
import { ALL } from './symbols.js'
import type { CryptoPrice, MarketStatus, TickListener } from './types.js'

const Context = createContext<CryptoRtClient | null>(null)

export interface CryptoRtProviderProps {
	/** A client of your own; it goes before `baseUrl`. */
	client?: CryptoRtClient
	/** Where the daemon is, such as 'https://prices.example.com'; without it: where the page is from. */
	baseUrl?: string
	children?: ReactNode
}

/** Gives the hooks beneath it another daemon than the one that the page is from. */
export function CryptoRtProvider({ client, baseUrl, children }: CryptoRtProviderProps): ReactElement {
	const value = useMemo(() => client ?? (baseUrl ? new CryptoRtClient({ baseUrl }) : defaultClient()), [client, baseUrl])
	return <Context.Provider value={value}>{children}</Context.Provider>
}

/** The client that the hooks use here. */
export function useCryptoClient(): CryptoRtClient {
	return useContext(Context) ?? defaultClient()
}

function useSource<T>({ subscribe, read, first }: Source<T>): T {
	return useSyncExternalStore(subscribe, read, () => first)
}

/** One coin's price, live.  `null` or `undefined`: nothing is asked for, and it stays 'loading'. */
export function useCryptoPrice(symbol: string | null | undefined): CryptoPrice {
	const client = useCryptoClient()
	return useSource(useMemo(() => priceSource(client, symbol), [client, symbol]))
}

/** Some coins' prices, live, by the symbols as they were given.  The record is the same until one of them changes. */
export function useCryptoPrices(symbols: readonly string[]): Readonly<Record<string, CryptoPrice>> {
	const client = useCryptoClient()
	// arrays are often written where they are used, and are others each time then
	const list = JSON.stringify(symbols)
	return useSource(useMemo(() => pricesSource(client, JSON.parse(list) as string[]), [client, list]))
}

export interface CryptoStreamOptions {
	/** Without them: all coins. */
	symbols?: readonly string[] | '*'
	/** Called with what has changed, at most about once a second.  Not from the render, and not after the unmount. */
	onTick?: TickListener
	/** false: nothing is asked for.  As it is without it: true. */
	enabled?: boolean
}

export type CryptoStream = StreamState

/** What the stream brings, as it comes. */
export function useCryptoStream({ symbols = ALL, onTick, enabled = true }: CryptoStreamOptions = {}): CryptoStream {
	const client = useCryptoClient()
	const listener = useRef(onTick)
	useEffect(() => {
		listener.current = onTick
	})
	const list = JSON.stringify(symbols)
	const source = useMemo(
		() => streamSource(client, enabled ? (JSON.parse(list) as string[] | typeof ALL) : [], (ticks, snapshot) => listener.current?.(ticks, snapshot)),
		[client, list, enabled]
	)
	return useSource(source)
}

/** Whether prices are live, delayed or away.  It is asked for whether anything else is used or not. */
export function useMarketStatus(): MarketStatus {
	const client = useCryptoClient()
	const subscribe = useMemo(
		() => (onChange: () => void) => {
			const ends = [client.onConnection(onChange), client.onStats(onChange)]
			const timer = setInterval(onChange, 1_000)
			return () => {
				clearInterval(timer)
				for (const end of ends) end()
			}
		},
		[client]
	)
	return useSyncExternalStore(
		subscribe,
		() => marketStatus(client),
		() => connectingStatus
	)
}
