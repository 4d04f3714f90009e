/**
 * A change of 24 h: its colour says what its arrow and its sign say.
 */
import { formatPercent } from 'crypto-rt-react'

export function Change({ value }: { value: number | null }) {
	const direction = value === null || value === 0 ? 'even' : value > 0 ? 'up' : 'down'
	return (
		<span className={`change ${direction}`}>
			<span aria-hidden="true">{direction === 'up' ? '▲' : direction === 'down' ? '▼' : ''}</span> {formatPercent(value)}
		</span>
	)
}
