/**
 * useMarketStatus: how prices stand, and a banner when they are simulated.
 */
import { useMarketStatus } from 'crypto-rt-react'

export function Market() {
	const { state, label, simulated, connection } = useMarketStatus()
	return (
		<div className="market" data-connection={connection.state}>
			{simulated && <span className="simulated">Simulated prices</span>}
			<span className={`status ${state}`} data-state={state} title={connection.error ?? undefined}>
				{label}
			</span>
			{/* a screen reader is told when the state changes, not as the seconds pass */}
			<span className="unseen" role="status">
				{state === 'live' ? 'Prices are live' : state === 'delayed' ? 'Prices are delayed' : state === 'offline' ? 'Reconnecting' : 'Connecting'}
			</span>
		</div>
	)
}
