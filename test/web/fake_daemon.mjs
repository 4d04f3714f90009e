// fake_daemon.mjs: an HTTP server that speaks the daemon's /stream, /prices and /stats, and does what a real one cannot be made
// to do: drop connections, refuse them, hold them, fall silent, send what is no JSON.  It counts what it is asked for.  Files of
// a folder, or of `pages`, are served beside.
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import { basename, extname, join } from 'node:path'

const WHOLE_MAX = 50
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8' }

/** Until `condition` holds; an error that says what was waited for when it does not. */
export async function until(condition, what, ms = 8000) {
	const end = performance.now() + ms
	for (;;) {
		const value = await condition()
		if (value) return value
		if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`)
		await new Promise(resolve => setTimeout(resolve, 25))
	}
}

export class FakeDaemon {
	#server
	#sockets = new Set()
	#epoch = 1
	#seq = 1
	dir
	/** Bodies by path, for pages that are no files. */
	pages = new Map()
	/** By symbol: { price, change, id, seq }. */
	coins = new Map()
	/** Open ones: { res, symbols }. */
	streams = new Set()
	/** Everything that was asked of /stream: { symbols, lastEventId (by header or argument), header, bytes, status }. */
	asked = []
	/** Of /prices. */
	lookups = []
	statsAsked = 0
	/** Members for /stats. */
	stats = {}
	/** Answer /stream, or /stats and /prices, with this status. */
	refuse = 0
	refuseStats = 0
	/** Let streams wait for their answer. */
	hold = false
	#held = []
	/** Streams stay open, but nothing comes any more. */
	mute = false
	/** Nobody gets in, as if nobody listened here. */
	down = false

	async start(dir) {
		this.dir = dir
		this.#server = http.createServer((req, res) => this.#answer(req, res))
		this.#server.on('connection', socket => {
			this.#sockets.add(socket)
			socket.on('close', () => this.#sockets.delete(socket))
			socket.on('error', () => {})
		})
		await new Promise(resolve => this.#server.listen(0, '127.0.0.1', resolve))
		this.url = `http://127.0.0.1:${this.#server.address().port}`
		return this
	}

	async stop() {
		for (const socket of this.#sockets) socket.destroy()
		await new Promise(resolve => this.#server.close(resolve))
	}

	/** A coin's new price, told to all who want it. */
	set(symbol, price, change = 0.5, id = symbol.toLowerCase()) {
		this.coins.set(symbol, { price, change, id, seq: ++this.#seq })
		if (!this.mute) for (const stream of this.streams) this.#send(stream, this.#seq - 1)
	}

	remove(symbol) {
		this.coins.delete(symbol)
	}

	/** Raw bytes to all streams. */
	write(text) {
		for (const { res } of this.streams) res.write(text)
	}

	/** Cut all streams. */
	drop() {
		for (const { res } of this.streams) res.destroy()
		this.streams.clear()
	}

	/** As after a restart: ids of before are worth nothing. */
	restart() {
		this.#epoch++
		this.#seq = 1
		for (const coin of this.coins.values()) coin.seq = ++this.#seq
		this.drop()
	}

	release() {
		this.hold = false
		for (const go of this.#held.splice(0)) go()
	}

	#coin(symbol) {
		if (!symbol.startsWith('id:')) return [symbol, this.coins.get(symbol)]
		return [...this.coins].find(([, coin]) => coin.id === symbol.slice(3)) ?? []
	}

	#wanted(symbols) {
		return symbols === '*' ? [...this.coins] : symbols.map(symbol => this.#coin(symbol)).filter(([, coin]) => coin !== undefined)
	}

	/** What of it has changed after `since`, and for short lists all of it then. */
	#send({ res, symbols }, since) {
		let wanted = this.#wanted(symbols)
		const news = wanted.filter(([, coin]) => coin.seq > since)
		if (news.length === 0) return
		if (symbols === '*' || symbols.length > WHOLE_MAX) wanted = news
		const data = Object.fromEntries(wanted.map(([symbol, { price, change }]) => [symbol, { price, change }]))
		res.write(`id: ${this.#epoch}-${this.#seq}\ndata: ${JSON.stringify(data)}\n\n`)
	}

	async #answer(req, res) {
		const url = new URL(req.url, 'http://fake')
		res.setHeader('Access-Control-Allow-Origin', '*')
		if (url.pathname.startsWith('/api/') && this.down) return req.socket.destroy()
		if (url.pathname === '/api/v1/crypto/stream') return this.#stream(req, res, url)
		if (url.pathname === '/api/v1/crypto/prices') return this.#prices(res, url)
		if (url.pathname === '/api/v1/crypto/stats') return this.#stats(res)
		return this.#file(res, url.pathname === '/' ? 'index.html' : basename(url.pathname))
	}

	async #file(res, name) {
		try {
			const body = this.pages.get(name) ?? (await readFile(join(this.dir, name)))
			res.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream', 'Cache-Control': 'no-store' }).end(body)
		} catch {
			res.writeHead(404).end()
		}
	}

	#json(res, status, body) {
		res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=5' }).end(JSON.stringify(body))
	}

	#stats(res) {
		this.statsAsked++
		if (this.refuseStats) return this.#json(res, this.refuseStats, { error: 'no' })
		const timestamp = new Date().toISOString()
		this.#json(res, 200, { timestamp, source: 'redis', total_coins: this.coins.size, age_seconds: 0, tiers: [], ...this.stats })
	}

	#prices(res, url) {
		const symbols = url.searchParams.get('symbols')
		this.lookups.push(symbols)
		if (this.refuseStats) return this.#json(res, this.refuseStats, { error: 'no' })
		const found = this.#wanted(symbols.split(',')).map(([symbol, { price, change, id }]) => [symbol, { symbol, id, price, change_24h: change }])
		this.#json(res, 200, { count: found.length, prices: Object.fromEntries(found) })
	}

	#stream(req, res, url) {
		const text = url.searchParams.get('symbols') ?? ''
		const symbols = text === '*' ? '*' : text.split(',')
		const lastEventId = req.headers['last-event-id'] ?? url.searchParams.get('lastEventId')
		const header = req.headers['last-event-id'] ?? null
		this.asked.push({ symbols: text, lastEventId, header, bytes: Buffer.byteLength(req.url), status: this.refuse || 200 })
		if (this.refuse) return this.#json(res, this.refuse, { error: 'no' })
		const go = () => {
			if (res.destroyed) return
			res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
			res.write('retry: 200\n\n')
			const stream = { res, symbols }
			this.streams.add(stream)
			const [epoch, seq] = (lastEventId ?? '').split('-').map(Number)
			this.#send(stream, epoch === this.#epoch && seq <= this.#seq ? seq : 0)
		}
		res.on('close', () => {
			for (const stream of this.streams) if (stream.res === res) this.streams.delete(stream)
		})
		if (this.hold) this.#held.push(go)
		else go()
	}
}
