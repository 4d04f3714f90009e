/**
 * The raw stream, as React wants it: the newest ticks gathered in a record that is another after each frame.
 */
import type { CryptoRtClient } from './client.js'
import { both, type Source } from './prices.js'
import type { ALL } from './symbols.js'
import type { Connection, TickListener, Ticks } from './types.js'

export interface StreamState {
	connection: Connection
	/** The newest of each coin that has come. */
	ticks: Readonly<Ticks>
	/** No connection for 10 s, or no coin has got a price for 30 s. */
	stale: boolean
	/** Frames that could not be read, and were passed over. */
	badFrames: number
}

const noConnection: Connection = { state: 'idle', since: 0, attempts: 0, retryAt: null, error: null }
const noTicks = () => Object.create(null) as Ticks

export function streamSource(
	client: CryptoRtClient,
	symbols: readonly string[] | typeof ALL,
	onTick: TickListener
): Source<StreamState> {
	const first: StreamState = { connection: noConnection, ticks: noTicks(), stale: false, badFrames: 0 }
	let last = first
	let ticks = first.ticks
	return {
		subscribe(onChange) {
			if (symbols.length === 0) return client.onState(onChange)
			const end = client.subscribe(symbols, (news, snapshot) => {
				ticks = Object.assign(noTicks(), snapshot ? null : ticks, news)
				onTick(news, snapshot)
				onChange()
			})
			return both(end, client.onState(onChange))
		},
		read() {
			const { connection, stale, badFrames } = client
			const isSame = last.connection === connection && last.ticks === ticks && last.stale === stale && last.badFrames === badFrames
			return isSame ? last : (last = { connection, ticks, stale, badFrames })
		},
		first
	}
}
