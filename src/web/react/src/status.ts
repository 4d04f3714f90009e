/**
 * The state of the market, for people.  It is never closed.
 */
import { DELAYED_AFTER, type CryptoRtClient } from './client.js'
import { formatAge } from './format.js'
import type { Connection, MarketStatus } from './types.js'

const noConnection: Connection = { state: 'idle', since: 0, attempts: 0, retryAt: null, error: null }

/** Before anything is known, and on a server. */
export const connectingStatus: MarketStatus = {
	state: 'connecting',
	label: 'Connecting',
	age: null,
	lastPriceAt: null,
	simulated: false,
	connection: noConnection
}

function stateOf(client: CryptoRtClient, age: number | null): MarketStatus['state'] {
	const { state } = client.connection
	if (state === 'connecting') return 'connecting'
	if (state === 'reconnecting') return 'offline'
	if (age !== null && age * 1000 > DELAYED_AFTER) return client.statsFailed === true && state === 'idle' ? 'offline' : 'delayed'
	if (client.statsFailed === null) return 'connecting'
	// without a stream there are the statistics to go by
	return client.statsFailed && state === 'idle' ? 'offline' : 'live'
}

function labelOf(state: MarketStatus['state'], age: number | null): string {
	const last = age === null ? '' : `, last price ${formatAge(age)} ago`
	switch (state) {
		case 'live':
			return 'Live · 24/7'
		case 'delayed':
			return `Delayed${last}`
		case 'offline':
			return `Reconnecting${last}`
		case 'connecting':
			return 'Connecting'
	}
}

const lastStatuses = new WeakMap<CryptoRtClient, MarketStatus>()

/**
 * How the market stands now; the same object as before when it stands as before.  While it is live, its age and time are those
 * of the last statistics, so that nobody has to be told each second.
 */
export function marketStatus(client: CryptoRtClient): MarketStatus {
	const before = lastStatuses.get(client)
	const { connection, lastPriceAt } = client
	const age = lastPriceAt === null ? null : Math.max(0, Math.floor((Date.now() - lastPriceAt) / 1000))
	const state = stateOf(client, age)
	const status: MarketStatus = { state, label: labelOf(state, age), age, lastPriceAt, simulated: client.stats?.simulated === true, connection }
	if (
		before !== undefined &&
		before.state === status.state &&
		before.simulated === status.simulated &&
		before.connection === connection &&
		(before.age === age || (state === 'live' && age !== null && before.age !== null))
	)
		return before
	lastStatuses.set(client, status)
	return status
}
