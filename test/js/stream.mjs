// stream.mjs PORT QUERY: the package eventsource as a client of the daemon's stream, behind a proxy that can be cut.
//
// Prints a line of JSON for each thing that happens: {"open":true}, {"id":…,"data":{…}}, {"error":…}.  A line "cut" on
// standard input cuts the connection, and the client reconnects by itself; "hold" cuts it and lets nobody in until "cut".
import net from 'node:net'
import readline from 'node:readline'
import { EventSource } from 'eventsource'

const [port, query] = process.argv.slice(2)
const open = new Set()
let held = false

const proxy = net.createServer(client => {
	if (held) return client.destroy()
	const server = net.connect(Number(port), '127.0.0.1')
	open.add(client)
	for (const [from, to] of [[client, server], [server, client]]) {
		from.on('data', bytes => to.write(bytes))
		from.on('error', () => {})
		from.on('close', () => { to.destroy(); open.delete(client) })
	}
})

const say = what => process.stdout.write(JSON.stringify(what) + '\n')

readline.createInterface({ input: process.stdin }).on('line', line => {
	held = line === 'hold'
	for (const client of open) client.destroy()
}).on('close', () => process.exit(0))

proxy.listen(0, '127.0.0.1', () => {
	const source = new EventSource(`http://127.0.0.1:${proxy.address().port}/api/v1/crypto/stream?${query}`)
	source.onopen = () => say({ open: true })
	source.onmessage = event => say({ id: event.lastEventId, data: JSON.parse(event.data) })
	source.onerror = event => say({ error: event.message ?? 'lost' })
})
