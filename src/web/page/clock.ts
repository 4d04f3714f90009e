// One slow clock for all that shows an age: rows look again at theirs when it strikes. It stands still while nobody listens or looks.
const EVERY_MS = 5000

const listeners = new Set<() => void>()
let timer = 0

function strike(): void {
	if (!document.hidden) for (const listener of listeners) listener()
}

export function onClock(listener: () => void): () => void {
	listeners.add(listener)
	if (!timer) timer = window.setInterval(strike, EVERY_MS)
	return () => {
		listeners.delete(listener)
		if (listeners.size) return
		clearInterval(timer)
		timer = 0
	}
}
