// hooks.test.mjs: crypto-rt-react in a real browser, against a daemon that fails in every way (fake_daemon.mjs).
//
// The example app ($WEB_EXAMPLE, or build/web-example) is what a user sees; pages that are made here, of React's development
// build and of the package as it is shipped, are for what an app cannot show.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, beforeEach, afterEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FakeDaemon, until } from './fake_daemon.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const web = join(here, '../../src/web')
const dist = join(web, 'react/dist')
const example = process.env.WEB_EXAMPLE ?? join(here, '../../build/web-example')
const require = createRequire(join(web, 'package.json'))
const { chromium } = require('playwright-core')
const esbuild = require('esbuild')

const STRIP = ['BTC', 'ETH', 'BNB', 'XRP', 'SOL', 'ADA', 'DOGE', 'DOT', 'SHIB']
const LATER = 15 // seconds
/** Little to be painted, which is not what is tested. */
const LOOKS = { viewport: { width: 640, height: 480 }, reducedMotion: 'reduce' }

let browser
let library
let daemon
let shared
let context
let page
let complaints

before(async () => {
	assert.ok(existsSync(join(example, 'index.html')), `${example} has no index.html: it is built by build.mjs`)
	const build = await esbuild.build({
		stdin: {
			contents: `
				import * as rt from 'crypto-rt-react'
				import * as React from 'react'
				import { createRoot, hydrateRoot } from 'react-dom/client'
				Object.assign(window, { rt, React, createRoot, hydrateRoot, h: React.createElement })`,
			resolveDir: web
		},
		alias: { 'crypto-rt-react': join(dist, 'index.js') },
		define: { 'process.env.NODE_ENV': '"development"' },
		bundle: true,
		minify: true,
		format: 'iife',
		write: false,
		logLevel: 'error'
	})
	library = build.outputFiles[0].text
	browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: process.getuid() === 0 ? ['--no-sandbox'] : [] })
	shared = await browser.newContext(LOOKS)
})

after(() => browser?.close())

beforeEach(async () => {
	daemon = await new FakeDaemon().start(example)
	daemon.pages.set('empty.html', '<!doctype html><html lang="en"><title>empty</title><div id="root"></div><script src="library.js"></script></html>')
	daemon.pages.set('library.js', library)
	for (const [i, symbol] of STRIP.entries()) daemon.set(symbol, 100 + i)
	daemon.set('BTC', 77000, -1.14, 'bitcoin')
	context = shared
	await openPage()
})

afterEach(async () => {
	await (context === shared ? page : context).close()
	await daemon.stop()
	assert.deepEqual(complaints, [], 'the page complains')
})

async function openPage() {
	page = await context.newPage()
	complaints = []
	page.on('pageerror', error => complaints.push(String(error)))
	// what the network does is told by the browser, and is not the page's affair
	page.on('console', message => {
		if (['error', 'warning'].includes(message.type()) && !/^Failed to load resource|EventSource's response|net::ERR/.test(message.text()))
			complaints.push(message.text())
	})
}

/** A page whose time the test moves; that is a matter of its whole context. */
async function openClockPage() {
	await page.close()
	context = await browser.newContext(LOOKS)
	await openPage()
	await page.addInitScript(() => {
		const { EventSource, fetch } = window
		window.underWay = 0
		window.EventSource = class extends EventSource {
			#isSettled = false
			constructor(...args) {
				super(...args)
				window.underWay++
				for (const type of ['open', 'error']) this.addEventListener(type, () => this.#settle())
			}
			close() {
				super.close()
				this.#settle()
			}
			#settle() {
				if (!this.#isSettled) window.underWay--
				this.#isSettled = true
			}
		}
		window.fetch = async (...args) => {
			window.underWay++
			try {
				const reply = await fetch(...args)
				return new Response(await reply.text(), reply)
			} finally {
				window.underWay--
			}
		}
	})
	await page.clock.install()
}

/** The page's time goes on; what the daemon is asked takes none of it. */
async function pass(seconds, step = 1) {
	for (; seconds > 0; seconds -= step) {
		await (step > 1 ? page.clock.fastForward(step * 1000) : page.clock.runFor(1000))
		await until(() => page.evaluate(() => window.underWay === 0), 'the daemon to be heard')
	}
}

/** The example, live; `clock`: time goes on only as the test says. */
async function openExample({ clock = false, live = true } = {}) {
	if (clock) await openClockPage()
	await page.goto(daemon.url)
	if (live) await shows('.status', 'Live · 24/7')
	if (live) await shows('#ticker [data-symbol=BTC] .price', '$77,000.00')
}

async function openEmpty() {
	await page.goto(`${daemon.url}/empty.html`)
}

const text = selector => page.locator(selector).first().textContent({ timeout: 2000 }).catch(() => null)

async function shows(selector, expected, ms) {
	let seen
	const isThere = typeof expected === 'string' ? value => value?.trim() === expected : value => value !== null && expected.test(value)
	await until(async () => isThere((seen = await text(selector))), `${selector} to show ${expected}`, ms).catch(error => {
		throw new Error(`${error.message}, but shows ${seen}`)
	})
}

const status = (selector, expected) =>
	until(async () => (await page.locator(selector).getAttribute('data-status')) === expected, `${selector} to be ${expected}`)
const streams = (count, what) => until(() => daemon.streams.size === count, what ?? `${count} streams`)
const press = name => page.getByRole('button', { name, exact: true }).click()

async function add(symbol) {
	await page.fill('#list input', symbol)
	await page.press('#list input', 'Enter')
}

/*
 * The example.
 */

test('many components, one connection; prices move', async () => {
	await openExample()
	assert.equal(daemon.asked.length, 1)
	assert.equal(daemon.streams.size, 1)
	assert.equal(daemon.asked[0].symbols, 'ADA,BNB,BTC,DOGE,DOT,ETH,SHIB,SOL,XRP,id:bitcoin')
	await shows('.big .price', '$77,000.00')
	await shows('.big dd', 'BTC')
	daemon.set('BTC', 77001.5, -1.1, 'bitcoin')
	for (const place of ['#ticker [data-symbol=BTC]', '#list [data-symbol=BTC]', '.big']) {
		await shows(`${place} .price`, '$77,001.50')
		assert.match(await page.locator(`${place} .price`).getAttribute('class'), /rise/)
	}
	await shows('.big .previous', '$77,000.00')
	daemon.set('BTC', 76999, -1.2, 'bitcoin')
	await shows('.big .previous', '$77,001.50')
	assert.match(await page.locator('.big .price').getAttribute('class'), /fall/)
	await shows('#ticker [data-symbol=BTC] .change', /−1\.20 %/)
	assert.equal(daemon.asked.length, 1)
})

test('a symbol is added without a gap and without a tick told twice; it is removed', async () => {
	daemon.set('LTC', 84.2)
	await openExample()
	daemon.hold = true
	await add('ltc')
	await until(() => daemon.asked.length === 2, 'the second stream to be asked for')
	assert.match(daemon.asked[1].symbols, /LTC/)
	assert.equal(daemon.streams.size, 1, 'the first stays meanwhile')
	daemon.set('ETH', 3000)
	await shows('#list [data-symbol=ETH] .price', '$3,000.00')
	assert.equal(await text('#list [data-symbol=ltc] .price'), '…')
	const frames = await text('.frames')
	daemon.release()
	await shows('#list [data-symbol=ltc] .price', '$84.20')
	await streams(1, 'the first to be closed')
	assert.equal(await text('.frames'), frames, 'nothing is told twice')
	daemon.set('ETH', 3001)
	await shows('#list [data-symbol=ETH] .price', '$3,001.00')
	assert.equal(await text('.frames'), String(Number(frames) + 1))
	await press('Remove ltc')
	await until(async () => (await page.locator('[data-symbol=ltc]').count()) === 0, 'it to be gone')
	daemon.set('ETH', 3002)
	await shows('#list [data-symbol=ETH] .price', '$3,002.00')
	assert.equal(daemon.asked.length, 2, 'one coin less is no reason for another connection')
})

test('what nobody wants any more is asked for no more, in its time', async () => {
	await openExample({ clock: true })
	await press('Ticker')
	await pass(LATER)
	await until(() => daemon.asked.length === 2, 'the smaller list')
	await streams(1)
	assert.equal(daemon.asked[1].symbols, 'BTC,DOGE,ETH,SOL,id:bitcoin')
})

test('coins by odd names, and coins that are none', async () => {
	daemon.set('喵喵喵喵喵', 0.012154)
	daemon.set('BDCL BSC', 2)
	daemon.set('1%', 0.00000812)
	await openExample()
	for (const symbol of ['喵喵喵喵喵', 'bdcl bsc', '1%', 'nope', 'a,b', '100%', 'x'.repeat(64), 'id:nobody']) await add(symbol)
	await shows('[data-symbol="喵喵喵喵喵"] .price', '$0.01215')
	await shows('[data-symbol="bdcl bsc"] .price', '$2.00')
	await shows('[data-symbol="1%"] .price', '$0.00000812')
	await shows('[data-symbol="nope"] .problem', 'There is no coin “NOPE”')
	await shows('[data-symbol="100%"] .problem', 'There is no coin “100%”')
	await shows('[data-symbol="id:nobody"] .problem', 'There is no coin with the id “nobody”')
	await shows('[data-symbol="a,b"] .problem', '“A,B” has a comma, and is not one symbol')
	await shows(`[data-symbol="${'x'.repeat(64)}"] .problem`, 'The symbol is too long')
	await status('[data-symbol="nope"]', 'error')
	assert.ok(daemon.asked.every(({ symbols }) => !symbols.includes('X'.repeat(64))), 'the daemon would refuse the whole list')
	// listed a minute later
	daemon.set('NOPE', 5)
	await shows('[data-symbol="nope"] .price', '$5.00')
	await status('[data-symbol="nope"]', 'live')
})

test('the connection is closed when nobody wants it, and opened again', async () => {
	await openExample()
	for (const name of ['Ticker', 'One price', 'Your list', 'Stream']) await press(name)
	await streams(0)
	await shows('.status', 'Live · 24/7')
	assert.equal(await page.locator('.market').getAttribute('data-connection'), 'idle')
	await press('Your list')
	await shows('#list [data-symbol=BTC] .price', '$77,000.00')
	assert.deepEqual(daemon.asked.map(({ symbols }) => symbols).slice(1), ['BTC,ETH,SOL'])
	// taken away and brought back at once
	await press('Your list')
	await press('Your list')
	daemon.set('ETH', 3000)
	await shows('#list [data-symbol=ETH] .price', '$3,000.00')
	assert.equal(daemon.asked.length, 2)
})

test('a lost connection is resumed, and nothing is lost', async () => {
	await openExample()
	daemon.hold = true
	daemon.drop()
	await shows('.status', /^Reconnecting/)
	daemon.set('ETH', 2900)
	await until(() => daemon.asked.length === 2, 'another try')
	assert.match(daemon.asked[1].header, /^1-\d+$/)
	daemon.release()
	await shows('#list [data-symbol=ETH] .price', '$2,900.00')
	await shows('.status', 'Live · 24/7')
	await streams(1)
	// the same daemon, started anew: its ids begin again, and all is sent
	daemon.restart()
	daemon.set('ETH', 2901)
	await shows('#list [data-symbol=ETH] .price', '$2,901.00')
	await shows('#list [data-symbol=BTC] .price', '$77,000.00')
})

test('when the browser gives up, it goes on with longer and longer breaks', async () => {
	await openExample({ clock: true })
	daemon.refuse = 503
	daemon.drop()
	await until(() => daemon.asked.length >= 2, 'the first try')
	await until(async () => (await text('.connection')) === 'reconnecting', 'the break')
	const tries = () => daemon.asked.filter(({ status }) => status === 503).length
	await pass(30)
	await until(() => tries() >= 4, 'some tries')
	assert.ok(tries() <= 8, `${tries()} tries in half a minute`)
	assert.match(await page.locator('.status').getAttribute('title'), /refused/)
	daemon.refuse = 0
	daemon.set('ETH', 2800)
	await until(async () => {
		await pass(5)
		return daemon.streams.size === 1
	}, 'it to be back')
	assert.match(daemon.asked.at(-1).lastEventId, /^1-\d+$/, 'it goes on where it was')
	await shows('#list [data-symbol=ETH] .price', '$2,800.00')
	await shows('.status', 'Live · 24/7')
})

test('too many streams: the prices that are there stay, the new one comes when it can', async () => {
	daemon.set('LTC', 84.2)
	await openExample()
	daemon.refuse = 429
	await add('LTC')
	await until(() => daemon.asked.some(({ status }) => status === 429), 'the refusal')
	daemon.set('ETH', 3000)
	await shows('#list [data-symbol=ETH] .price', '$3,000.00')
	await status('#list [data-symbol=LTC]', 'loading')
	await shows('.status', 'Live · 24/7')
	daemon.refuse = 0
	await shows('#list [data-symbol=LTC] .price', '$84.20')
	await streams(1)
})

test('a frame that is no JSON is counted and passed over, and what it held is asked for', async () => {
	await openExample()
	daemon.write('id: 1-900\ndata: {"ETH":{"price":\n\n')
	await shows('.bad', '1')
	await until(() => daemon.asked.length === 2, 'everything to be asked for')
	assert.equal(daemon.asked[1].lastEventId, null)
	await streams(1)
	daemon.write('data: [1]\n\ndata: {"ETH":null,"BTC":{"price":"1"},"__proto__":{"price":1,"change":null}}\n\n')
	await shows('.bad', '2')
	daemon.set('ETH', 3000)
	await shows('#list [data-symbol=ETH] .price', '$3,000.00')
	await shows('#list [data-symbol=BTC] .price', '$77,000.00')
	assert.equal(daemon.asked.length, 2)
})

test('a connection that is dead without a word is replaced', async () => {
	await openExample({ clock: true })
	daemon.mute = true
	daemon.set('ETH', 2700)
	await pass(25)
	assert.equal(daemon.asked.length, 1, 'silence may be in order')
	daemon.mute = false
	await pass(10)
	await until(() => daemon.asked.length === 2, 'another connection')
	assert.match(daemon.asked[1].lastEventId, /^1-\d+$/)
	await shows('#list [data-symbol=ETH] .price', '$2,700.00')
	await streams(1)
	// coins that do not move: less and less often
	await pass(8 * 60, 60)
	assert.ok(daemon.asked.length <= 6, `${daemon.asked.length} connections in eight minutes of silence`)
})

test('a market that is late, and simulated, says so; it is never closed', async () => {
	daemon.stats = { age_seconds: 2, simulated: true }
	await openExample({ clock: true })
	await shows('.simulated', 'Simulated prices')
	daemon.stats = { age_seconds: 43, simulated: true }
	await pass(7)
	await shows('.status', /^Delayed, last price (4\d|5\d) s ago$/)
	await status('#ticker [data-symbol=BTC]', 'stale')
	await shows('.big .state', 'stale')
	const before = await text('.status')
	daemon.stats = { age_seconds: 200, simulated: true }
	await pass(6)
	await shows('.status', /^Delayed, last price 3 min ago$/)
	assert.notEqual(await text('.status'), before)
	assert.doesNotMatch(await page.content(), /closed/i)
	assert.equal(daemon.asked.length, 1, 'the connection is not to blame')
	daemon.stats = { age_seconds: 0 }
	daemon.set('BTC', 77100, -1, 'bitcoin')
	await shows('#ticker [data-symbol=BTC] .price', '$77,100.00')
	await pass(6)
	await shows('.status', 'Live · 24/7')
	await status('#ticker [data-symbol=BTC]', 'live')
	assert.equal(await page.locator('.simulated').count(), 0)
})

test('the daemon goes away, and comes back', async () => {
	await openExample({ clock: true })
	daemon.down = true
	daemon.drop()
	await shows('.status', /^Reconnecting, last price \d+ s ago$/)
	await status('#ticker [data-symbol=BTC]', 'live')
	await pass(12)
	await status('#ticker [data-symbol=BTC]', 'stale')
	await shows('#ticker [data-symbol=BTC] .price', '$77,000.00')
	await shows('.status', /^Reconnecting, last price 1\d s ago$/)
	daemon.down = false
	daemon.set('BTC', 78000, 1, 'bitcoin')
	await until(async () => {
		await pass(1)
		return (await text('#ticker [data-symbol=BTC] .price')) === '$78,000.00'
	}, 'the new price')
	await status('#ticker [data-symbol=BTC]', 'live')
	await shows('.status', 'Live · 24/7')
})

test('a daemon that was never there is an error, until it is', async () => {
	daemon.down = true
	await openExample({ clock: true, live: false })
	await status('#ticker [data-symbol=BTC]', 'loading')
	await pass(12)
	await status('#ticker [data-symbol=BTC]', 'error')
	await shows('.big .state', /price server/)
	daemon.down = false
	await until(async () => {
		await pass(1)
		return (await text('#ticker [data-symbol=BTC] .price')) === '$77,000.00'
	}, 'the price')
	await shows('.status', 'Live · 24/7')
})

test('a page that was put aside comes back; so does the network', async () => {
	await openExample()
	const turn = name => page.evaluate(type => dispatchEvent(new PageTransitionEvent(type, { persisted: true })), name)
	await turn('pagehide')
	await streams(0)
	daemon.set('ETH', 2600)
	await turn('pageshow')
	await shows('#list [data-symbol=ETH] .price', '$2,600.00')
	assert.match(daemon.asked.at(-1).lastEventId, /^1-\d+$/)
	await streams(1)

	daemon.down = true
	daemon.drop()
	await context.setOffline(true)
	await shows('.status', /^Reconnecting/)
	daemon.down = false
	daemon.set('ETH', 2500)
	await context.setOffline(false)
	await shows('#list [data-symbol=ETH] .price', '$2,500.00')
	await shows('.status', 'Live · 24/7')
	await streams(1)
})

/*
 * Pages of our own.
 */

test('StrictMode: one connection, no complaint; after the unmount no listener, timer or connection is left', async () => {
	await page.addInitScript(() => {
		const count = { listeners: 0, intervals: 0 }
		window.count = count
		const ours = ['online', 'offline', 'pageshow', 'pagehide', 'visibilitychange']
		for (const target of [window, document]) {
			const { addEventListener, removeEventListener } = target
			target.addEventListener = function (type, ...rest) {
				if (ours.includes(type)) count.listeners++
				return addEventListener.call(target, type, ...rest)
			}
			target.removeEventListener = function (type, ...rest) {
				if (ours.includes(type)) count.listeners--
				return removeEventListener.call(target, type, ...rest)
			}
		}
		const { setInterval, clearInterval } = window
		const running = new Set()
		window.setInterval = (...args) => {
			const id = setInterval(...args)
			running.add(id)
			count.intervals = running.size
			return id
		}
		window.clearInterval = id => {
			clearInterval(id)
			running.delete(id)
			count.intervals = running.size
		}
	})
	await openEmpty()
	await page.evaluate(() => {
		window.rendered = 0
		window.ticked = 0
		function App() {
			const btc = rt.useCryptoPrice('btc')
			const some = rt.useCryptoPrices(['btc', 'ETH'])
			const { ticks } = rt.useCryptoStream({ symbols: ['SOL'], onTick: () => window.ticked++ })
			const market = rt.useMarketStatus()
			window.rendered++
			return h('p', null, [btc.price, some.ETH.price, ticks.SOL?.price, market.state].join(' '))
		}
		window.root = createRoot(document.getElementById('root'))
		root.render(h(React.StrictMode, null, h(App)))
	})
	await shows('p', '77000 101 104 live')
	assert.equal(daemon.asked.length, 1)
	assert.equal(daemon.asked[0].symbols, 'BTC,ETH,SOL')
	assert.ok((await page.evaluate(() => count.intervals)) > 0)
	await page.evaluate(() => root.unmount())
	const before = await page.evaluate(() => [rendered, ticked])
	daemon.set('SOL', 1)
	daemon.set('BTC', 2)
	await streams(0)
	await until(async () => {
		const { listeners, intervals } = await page.evaluate(() => count)
		return listeners === 0 && intervals === 0
	}, 'all listeners and timers to be gone')
	assert.deepEqual(await page.evaluate(() => [rendered, ticked]), before)
	const asked = daemon.statsAsked
	await page.evaluate(() => dispatchEvent(new Event('online')))
	assert.equal(daemon.statsAsked, asked)
	assert.equal(daemon.asked.length, 1)
})

test('arrays written in place do not subscribe anew; what has not changed is the same object', async () => {
	await openEmpty()
	await page.evaluate(() => {
		window.seen = []
		function App() {
			const [, again] = React.useReducer(n => n + 1, 0)
			window.again = again
			const prices = rt.useCryptoPrices(['BTC', 'eth'])
			seen.push(prices)
			return h('p', null, Object.entries(prices).map(([symbol, { price, status }]) => `${symbol} ${price} ${status}`).join(', '))
		}
		createRoot(document.getElementById('root')).render(h(App))
	})
	await shows('p', 'BTC 77000 live, eth 101 live')
	await page.evaluate(async () => {
		for (let i = 0; i < 20; i++) again()
		await new Promise(requestAnimationFrame)
	})
	daemon.set('ETH', 102)
	await shows('p', 'BTC 77000 live, eth 102 live')
	const kept = await page.evaluate(() => {
		const last = seen.at(-1)
		const before = seen.findLast(prices => prices !== last)
		return { records: new Set(seen).size, btc: last.BTC === before.BTC, eth: last.eth === before.eth }
	})
	assert.deepEqual(kept, { records: 3, btc: true, eth: false }, 'loading, live, changed')
	assert.equal(daemon.asked.length, 1)
})

test('a list that is too long becomes all coins, of which each gets its own', async () => {
	for (let i = 0; i < 1200; i++) daemon.set(`C${i}`, i + 1)
	await openEmpty()
	const result = await page.evaluate(async () => {
		const client = new rt.CryptoRtClient()
		const told = []
		const many = Array.from({ length: 1001 }, (_, i) => `C${i}`)
		await new Promise(resolve => client.subscribe(many, (ticks, snapshot) => resolve(told.push([Object.keys(ticks).length, snapshot]))))
		await new Promise(resolve => client.subscribe(['C1199'], (ticks, snapshot) => resolve(told.push([ticks.C1199.price, snapshot]))))
		client.close()
		return told
	})
	assert.deepEqual(result, [[1001, true], [1200, true]])
	assert.deepEqual(daemon.asked.map(({ symbols }) => symbols), ['*'])

	await page.evaluate(() => {
		window.client = new rt.CryptoRtClient()
		client.subscribe(Array.from({ length: 200 }, (_, i) => `喵${i}喵喵喵`), () => {})
	})
	await until(() => daemon.asked.length === 2, 'the second')
	assert.equal(daemon.asked[1].symbols, '*', 'the address would be longer than 3,500 bytes')
	await page.evaluate(() => client.close())
	await page.evaluate(() => {
		window.client = new rt.CryptoRtClient()
		client.subscribe(Array.from({ length: 400 }, (_, i) => `SYMB${i}`), () => {})
	})
	await until(() => daemon.asked.length === 3, 'the third')
	assert.equal(daemon.asked[2].symbols.split(',').length, 400)
	assert.ok(daemon.asked[2].bytes <= 3500)
	// unknown ones are asked for in pieces that fit, too
	await until(() => daemon.lookups.flatMap(list => list.split(',')).length >= 400, 'all of them to be looked up')
})

test('a listener gets where things stand once, and then what changes; what it throws harms nobody', async () => {
	await openEmpty()
	await page.evaluate(() => {
		window.told = { all: [], some: [], thrown: 0 }
		window.client = rt.defaultClient()
		addEventListener('error', event => {
			if (event.message.includes('on purpose')) event.preventDefault()
		})
		client.subscribe('*', () => {
			told.thrown++
			throw new Error('on purpose')
		})
		client.subscribe('*', (ticks, snapshot) => told.all.push([Object.keys(ticks).length, snapshot]))
		client.subscribe(['eth', 'id:bitcoin'], (ticks, snapshot) => told.some.push([{ ...ticks }, snapshot]))
	})
	const told = () => page.evaluate(() => told)
	await until(async () => (await told()).some.some(([ticks]) => 'id:bitcoin' in ticks), 'the stand')
	const known = (await told()).some.length
	daemon.set('BTC', 77001, -1, 'bitcoin')
	daemon.set('DOGE', 9)
	await until(async () => (await told()).all.length === 3, 'both changes')
	const { all, some, thrown } = await told()
	assert.deepEqual(all, [[9, true], [1, false], [1, false]])
	assert.equal(thrown, 3)
	assert.deepEqual(some.slice(known), [[{ 'id:bitcoin': { price: 77001, change: -1 } }, false]])
	assert.ok(some.slice(0, known).every(([, snapshot]) => snapshot))
	// after a restart of the daemon it is all told again
	daemon.restart()
	await until(async () => (await told()).all.length === 4, 'the stand anew')
	assert.deepEqual((await told()).all.at(-1), [9, true])
	assert.equal(complaints.splice(0).filter(text => !text.includes('on purpose')).length, 0)
})

test('another host, by a provider; enabled and symbol may change, and be none', async () => {
	const other = await new FakeDaemon().start(example)
	other.set('BTC', 5)
	await openEmpty()
	await page.evaluate(baseUrl => {
		function App() {
			const [{ symbol, enabled }, set] = React.useState({ symbol: null, enabled: false })
			window.set = set
			const { price, status } = rt.useCryptoPrice(symbol)
			const { connection, ticks } = rt.useCryptoStream({ symbols: ['BTC'], enabled })
			return h('p', null, `${price} ${status} ${Object.keys(ticks).length} ${connection.state}`)
		}
		const root = createRoot(document.getElementById('root'))
		root.render(h(rt.CryptoRtProvider, { baseUrl: baseUrl + '/' }, h(App)))
	}, other.url)
	await shows('p', 'null loading 0 idle')
	assert.equal(other.asked.length, 0)
	await page.evaluate(() => set({ symbol: 'BTC', enabled: true }))
	await shows('p', '5 live 1 open')
	await page.evaluate(() => set({ symbol: 'BTC', enabled: false }))
	await shows('p', '5 live 0 open')
	await page.evaluate(() => set({ symbol: '', enabled: false }))
	await shows('p', /^null error 0/)
	await until(() => other.streams.size === 0, 'the other stream to be closed')
	assert.equal(daemon.asked.length, 0)
	await other.stop()
})

test('nothing tears while React renders in pieces', async () => {
	await openEmpty()
	await page.evaluate(() => {
		window.torn = 0
		const seen = new Set()
		function Slow({ last }) {
			const { price } = rt.useCryptoPrice('BTC')
			for (const end = performance.now() + 2; performance.now() < end; );
			React.useLayoutEffect(() => {
				seen.add(price)
				if (!last) return
				if (seen.size > 1) window.torn++
				seen.clear()
			})
			return h('span', null, price)
		}
		function App() {
			const [n, set] = React.useState(0)
			window.again = () => React.startTransition(() => set(n => n + 1))
			return Array.from({ length: 30 }, (_, i) => h(Slow, { key: i, n, last: i === 29 }))
		}
		createRoot(document.getElementById('root')).render(h(App))
	})
	await shows('span', '77000')
	for (let i = 1; i <= 10; i++) {
		await page.evaluate(() => again())
		daemon.set('BTC', 77000 + i, 0, 'bitcoin')
	}
	await shows('span', '77010')
	assert.equal(await page.evaluate(() => torn), 0)
})

/*
 * Without a browser.
 */

const serverApp = ({ createElement: h, Fragment }, rt) => {
	const One = () => JSON.stringify(rt.useCryptoPrice('btc'))
	const Some = () => JSON.stringify(rt.useCryptoPrices(['BTC', 'id:bitcoin']))
	const All = () => JSON.stringify(rt.useCryptoStream({ onTick: () => {} }))
	const Market = () => JSON.stringify(rt.useMarketStatus())
	return h(rt.CryptoRtProvider, { baseUrl: 'https://prices.example.com' }, [One, Some, All, Market].map((Part, i) => h('pre', { key: i }, h(Part))))
}

test('a server renders the loading state, from either kind of module, and the browser takes it over', async () => {
	const React = require('react')
	const { renderToString } = require('react-dom/server')
	const modules = [await import(join(dist, 'index.js')), require('./react/dist/index.cjs')]
	const [html, html2] = modules.map(rt => renderToString(serverApp(React, rt)))
	assert.equal(html, html2)
	const parts = [...html.matchAll(/<pre>(.*?)<\/pre>/g)].map(([, json]) => JSON.parse(json.replaceAll('&quot;', '"')))
	const loading = { price: null, change24h: null, previous: null, direction: 0, updatedAt: null, status: 'loading', stale: false, error: null }
	assert.deepEqual(parts[0], { symbol: 'BTC', ...loading })
	assert.deepEqual(parts[1], { BTC: { symbol: 'BTC', ...loading }, 'id:bitcoin': { symbol: 'id:bitcoin', ...loading } })
	assert.deepEqual(parts[2].ticks, {})
	assert.equal(parts[3].label, 'Connecting')
	assert.deepEqual(Object.keys(modules[0]).sort(), Object.keys(modules[1]).sort())

	const app = ({ h }, rt) => h('p', null, h(() => rt.useCryptoPrice('BTC').status + ' ' + rt.useMarketStatus().state))
	const rendered = renderToString(app({ h: React.createElement }, modules[0]))
	daemon.pages.set('hydrate.html', `<!doctype html><div id="root">${rendered}</div><script src="library.js"></script>`)
	await page.goto(`${daemon.url}/hydrate.html`)
	assert.equal(await text('p'), 'loading connecting')
	await page.evaluate(source => void hydrateRoot(document.getElementById('root'), eval(source)({ h }, rt)), `(${app})`)
	await shows('p', 'live live')
})

test('what can be no symbol is told so without asking', async () => {
	const { CryptoRtClient } = await import(join(dist, 'index.js'))
	const client = new CryptoRtClient()
	const good = ['btc', ' BTC\t', '喵喵喵喵喵', '😀', 'BDCL BSC', ':ZKT:', '100%', 'id:bitcoin', 'ID:bitcoin']
	const longest = ['x'.repeat(63), '喵'.repeat(21), `id:${'x'.repeat(95)}`]
	for (const symbol of [...good, ...longest]) assert.equal(client.problem(symbol), null, symbol)
	const bad = ['', ' ', 'a,b', 'a\u0000', 'a\nb', 'a\u0085', '\ud800']
	const tooLong = ['x'.repeat(64), '喵'.repeat(22), `id:${'x'.repeat(96)}`]
	for (const symbol of [...bad, ...tooLong]) assert.match(client.problem(symbol), /symbol/, JSON.stringify(symbol))
})

test('the package says what it is', async () => {
	const manifest = require('./react/package.json')
	assert.equal(manifest.name, 'crypto-rt-react')
	const { import: esm, require: cjs } = manifest.exports['.']
	for (const path of [manifest.main, manifest.module, manifest.types, esm.default, esm.types, cjs.default, cjs.types])
		assert.ok(existsSync(join(web, 'react', path)), path)
	for (const name of ['index.js', 'index.cjs']) assert.match(readFileSync(join(dist, name), 'utf8'), /^"use client"/)
})
