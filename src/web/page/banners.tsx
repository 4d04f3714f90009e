// What one must know before one trusts a price: that prices are made up, that the connection is lost. One line each, above the page.
import { useEffect, useState, type ReactNode } from 'react'
import { useMarketStatus } from 'crypto-rt-react'
import { WarnIcon } from './icons'
import { market, useMarket } from './market'

/** A blink of the connection is no news. */
const LOST_AFTER_MS = 10_000

export function Banners() {
	const status = useMarketStatus()
	const { count } = useMarket()
	const simulated = status.simulated || (count > 0 && market.coins()[0]?.simulated === true)
	return (
		<>
			{simulated && <Banner kind="simulated"><b>Simulated prices:</b> made up by the simulator, not for trading.</Banner>}
			{status.state === 'offline' && <Lost since={status.connection.since} retryAt={status.connection.retryAt} />}
		</>
	)
}

function Banner({ kind, children }: { kind: string; children: ReactNode }) {
	return <div className="banner" data-kind={kind} role="note"><WarnIcon /><p>{children}</p></div>
}

function Lost({ since, retryAt }: { since: number; retryAt: number | null }) {
	const [now, setNow] = useState(Date.now)
	useEffect(() => {
		const timer = setInterval(() => setNow(Date.now()), 1000)
		return () => clearInterval(timer)
	}, [])
	const wait = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000)
	if (now - since < LOST_AFTER_MS) return null
	return <Banner kind="lost"><b>Connection lost.</b> Prices do not move; {wait > 0 ? `trying again in ${wait} s.` : 'trying again…'}</Banner>
}
