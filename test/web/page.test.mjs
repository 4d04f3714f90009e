// page.test.mjs: the dashboard as people use it, in Chromium, before a daemon with 15,000 simulated coins, Redis and PostgreSQL.
//
// $DASHBOARD is JSON: {daemon: [its command line], url, sim}. The daemon is started, killed and started anew here; the rest
// belongs to 041_web_page.t.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const { daemon: command, url, sim, log } = JSON.parse(process.env.DASHBOARD)
const web = join(dirname(fileURLToPath(import.meta.url)), '../../src/web')
const require = createRequire(join(web, 'package.json'))
const { chromium } = require('playwright-core')
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

const DEADLINE = 60_000
const DELAYED_AFTER = 30_000

let browser
let daemon
/** What no page may do; each test looks at the end that there is nothing. */
let complaints = []

async function until(condition, what, ms = DEADLINE) {
	const end = performance.now() + ms
	for (;;) {
		const value = await condition()
		if (value) return value
		if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`)
		await new Promise(resolve => setTimeout(resolve, 50))
	}
}

async function startDaemon() {
	const out = openSync(log, 'a')
	daemon = spawn(command[0], command.slice(1), { stdio: ['ignore', out, out] })
	await until(async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok, 'the daemon is ready')
}

async function stopDaemon() {
	const ended = new Promise(resolve => daemon.once('exit', resolve))
	daemon.kill('SIGTERM')
	await ended
}

const pin = (nameid, fields) => post(`/sim/coin?${new URLSearchParams({ nameid, ...fields })}`)
async function post(path, method = 'POST') {
	const answer = await fetch(sim + path, { method })
	assert.ok(answer.ok, `${path}: ${answer.status}`)
}

/** A page in a browser profile of its own. Violations of the policy, errors and requests elsewhere are complaints. */
async function open(t, path = '/', options = {}) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
	t.after(() => context.close())
	const page = await context.newPage()
	page.setDefaultTimeout(DEADLINE)
	page.on('pageerror', error => complaints.push(`error: ${error.message}`))
	page.on('console', message => {
		// a daemon that is away is not the page's fault
		if (['error', 'warning'].includes(message.type()) && !/net::ERR_/.test(message.text())) complaints.push(`console: ${message.text()}`)
	})
	page.on('request', request => {
		if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) complaints.push(`request to ${request.url()}`)
	})
	await page.addInitScript(() => document.addEventListener('securitypolicyviolation', event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)))
	await page.goto(url + path)
	return page
}

const filled = page => page.waitForSelector('.list-page[data-state=ready] .row[data-id]')
const cell = (page, id, column) => page.locator(`.row[data-id="${id}"] .c-${column}`)
const column = (page, name) => page.locator(`.row[data-id] .c-${name}`).allInnerTexts()
const head = (page, name) => page.locator(`.head .c-${name}`)
const statusLabel = page => page.locator('.market-status .label').innerText()
const number = text => Number(text.replace(/[^\d.−-]/g, '').replace('−', '-'))

/** Nothing serious, in the words of axe. */
async function accessible(page, what) {
	await page.evaluate(`${axe};0`)
	const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
	const serious = violations.filter(v => ['serious', 'critical'].includes(v.impact))
	assert.deepEqual(serious.map(v => `${v.id}: ${v.nodes[0]?.html}`), [], what)
}

/** The page is no wider than the window. */
async function fits(page, what) {
	const [is, may] = await page.evaluate(() => [Math.max(document.documentElement.scrollWidth, document.querySelector('#main')?.scrollWidth ?? 0), innerWidth])
	assert.ok(is <= may, `${what}: ${is} px wide in a window of ${may}`)
}

function check(name, run) {
	test(name, async t => {
		complaints = []
		await run(t)
		assert.deepEqual(complaints, [], 'no errors, no violations of the policy, no requests to other hosts')
	})
}

before(async () => {
	await startDaemon()
	browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] })
})

after(async () => {
	await browser?.close()
	if (daemon?.exitCode === null) await stopDaemon()
})

check('the table fills with all coins, of which only those in sight are elements', async t => {
	const page = await open(t)
	await filled(page)
	const { count } = await (await fetch(`${url}/api/v1/crypto/prices`)).json()
	assert.ok(count > 10_000, `${count} coins`)
	const rows = Number(await page.getByRole('grid').getAttribute('aria-rowcount'))
	assert.ok(Math.abs(rows - 1 - count) < 50, `${rows} rows, ${count} coins`)
	assert.ok((await page.locator('.row[data-id]').count()) < 100, 'virtual rows')
	assert.equal((await column(page, 'rank'))[0], '1')
	assert.match((await column(page, 'name'))[0], /Bitcoin\s*BTC/)
	assert.match((await column(page, 'price'))[0], /^\$[\d,]+\.\d\d$/)
	assert.match((await column(page, '24h'))[0], /^[+−]?\d+\.\d\d %$/)
	assert.match(await page.title(), /crypto_rt/)
	await page.locator('#main').evaluate(main => { main.scrollTop = main.scrollHeight })
	await until(async () => Number((await page.locator('.row[data-id]').last().getAttribute('aria-rowindex'))) >= count - 50, 'the last coins, after scrolling')
	await accessible(page, 'the table')
})

check('prices move, flash and say so by a sign', async t => {
	const page = await open(t)
	await filled(page)
	const { price } = await (await fetch(`${url}/api/v1/crypto/BTC/price`)).json()
	await pin('bitcoin', { price: (price + 1000).toFixed(2), rank: '1' })
	const shown = '$' + (price + 1000).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
	await until(async () => (await cell(page, 'bitcoin', 'price').innerText()) === shown, `BTC at ${shown}`)
	const figure = cell(page, 'bitcoin', 'price').locator('.price')
	assert.equal(await figure.getAttribute('data-way'), 'up')
	assert.match(await figure.getAttribute('data-flash'), /^up/)
	await pin('bitcoin', { price: (price - 1000).toFixed(2), rank: '1' })
	await until(async () => (await figure.getAttribute('data-way')) === 'down', 'and down')
	assert.match(await figure.getAttribute('data-flash'), /^down/)
	const [before, after] = await figure.evaluate(element => [getComputedStyle(element, '::before').content, getComputedStyle(element, '::after').content])
	assert.ok([before, after].some(content => /[▼▾↓]/.test(content)) || /[▼▾↓]/.test(await figure.innerText()), 'an arrow')
})

check('who wants no motion gets none', async t => {
	const page = await open(t, '/', { reducedMotion: 'reduce' })
	await filled(page)
	await page.waitForSelector('.price[data-flash]')
	const running = await page.evaluate(() => document.getAnimations().filter(a => a.playState === 'running' && (a.effect?.getComputedTiming().duration ?? 0) > 10).length)
	assert.equal(running, 0)
})

check('any column sorts, both ways', async t => {
	const page = await open(t)
	await filled(page)
	for (const name of ['24h', 'cap', 'price']) {
		for (const order of ['descending', 'ascending']) {
			await head(page, name).getByRole('button').click()
			await until(async () => (await head(page, name).getAttribute('aria-sort')) === order, `${name}, ${order}`)
		}
		assert.ok((await column(page, name)).length > 5)
	}
	await head(page, 'price').getByRole('button').click()
	await until(async () => {
		const prices = (await column(page, 'price')).slice(0, 10).map(number)
		return prices.length === 10 && prices.every((price, i) => i === 0 || price <= prices[i - 1] * 1.2)
	}, 'the dearest first')
	await page.reload()
	await filled(page)
	assert.equal(await head(page, 'price').getAttribute('aria-sort'), 'descending', 'kept')
})

check('the search finds among all, as one types', async t => {
	const page = await open(t)
	await filled(page)
	await page.keyboard.press('/')
	await page.keyboard.type('doge')
	await until(async () => /Dogecoin\s*DOGE/.test((await column(page, 'name'))[0] ?? ''), 'Dogecoin is the first')
	const field = page.getByRole('searchbox')
	await field.fill('no such coin')
	await page.getByText('No coin matches “no such coin”').waitFor()
	await accessible(page, 'nothing found')
	await field.press('Escape')
	await until(async () => (await column(page, 'rank'))[0] === '1', 'all again')
	// the last coin there is, by its name
	const { data, meta } = await (await fetch(`${url}/api/v1/crypto?page=120`)).json()
	assert.ok(meta.total > 10_000)
	await field.fill(data[0].symbol)
	await until(async () => (await column(page, 'name'))[0]?.includes(data[0].symbol), `${data[0].symbol} is found`)
})

check('the keyboard suffices', async t => {
	const page = await open(t)
	await filled(page)
	await page.keyboard.press('/')
	await page.keyboard.press('ArrowDown')
	await page.keyboard.press('ArrowDown')
	const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-id'))
	const second = await focused()
	assert.ok(second, 'a row has the focus')
	await page.keyboard.press('w')
	await until(async () => (await page.locator(`.row[data-id="${second}"] .star`).getAttribute('aria-pressed')) === 'true', 'it is starred')
	await page.keyboard.press('End')
	await until(async () => (await focused()) !== second, 'the last one')
	await page.keyboard.press('Home')
	await page.keyboard.press('Enter')
	await page.waitForSelector('.coin-page h1')
	assert.match(page.url(), /#\/coin\/bitcoin$/)
	await page.goBack()
	await filled(page)
})

check('stars and the portfolio stay in the browser', async t => {
	const page = await open(t)
	await filled(page)
	await page.getByRole('button', { name: 'Watch Ethereum', exact: true }).click()
	await page.getByRole('link', { name: 'Watchlist' }).click()
	await until(async () => (await page.locator('.row[data-id]').count()) === 1, 'one starred coin')
	await page.reload()
	await page.waitForSelector('.row[data-id=ethereum]')
	await accessible(page, 'the watchlist')

	await page.getByRole('link', { name: 'Portfolio' }).click()
	await page.getByText('Nothing here yet').waitFor()
	const coin = page.getByRole('combobox', { name: 'Coin' })
	const amount = page.getByRole('textbox', { name: 'Amount', exact: true })
	await coin.fill('ethereum')
	await page.getByRole('option').first().click()
	await amount.fill('-1')
	await page.getByRole('button', { name: 'Add', exact: true }).click()
	await page.locator('.field-error').waitFor()
	await amount.fill('2.5')
	await page.getByRole('button', { name: 'Add', exact: true }).click()
	await page.locator('.holdings .holding-value').last().waitFor()
	await pin('ethereum', { price: '4000.00', rank: '2' })
	await until(async () => (await page.locator('.total-value dd').innerText()) === '$10,000.00', '2.5 at 4,000')
	await pin('ethereum', { price: '4100.00', rank: '2' })
	await until(async () => (await page.locator('.total-value dd').innerText()) === '$10,250.00', 'live')
	await page.reload()
	await until(async () => (await page.locator('.total-value dd').innerText()) === '$10,250.00', 'kept')
	await accessible(page, 'the portfolio')
	await page.getByRole('button', { name: 'Remove Ethereum' }).click()
	await page.getByRole('button', { name: 'Undo' }).click()
	await page.locator('.holdings .holding-value').last().waitFor()
})

check('a coin has its page, with candles', async t => {
	const page = await open(t, '/#/coin/bitcoin')
	await page.locator('.chart canvas').first().waitFor()
	assert.match(await page.locator('h1').innerText(), /Bitcoin\s*BTC/)
	await pin('bitcoin', { price: '81234.56', rank: '1' })
	await until(async () => (await page.getByTestId('price').innerText()).startsWith('$81,234.56'), 'the price is live')
	await until(async () => /81,234\.56/.test(await page.title()), 'in the title as well')
	for (const interval of ['1m', '5m', '1h', '1d']) {
		await page.getByRole('radio', { name: new RegExp(`^${interval.replace(/(\d)(.)/, '$1\\s*$2')}`) }).first().click()
		await until(async () => /C\s+81,234\.56/.test((await page.locator('.chart-legend').innerText()).replace(/\n/g, ' ')), `${interval}: the newest candle closes at the price`)
	}
	// something is drawn in the colours of candles, which are neither the background's nor the text's
	const colours = await page.locator('.chart canvas').evaluateAll(canvases => {
		const seen = new Set()
		for (const canvas of canvases) {
			const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
			for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && Math.abs(data[i] - data[i + 1]) > 60) seen.add(data[i] > data[i + 1] ? 'red' : 'green')
		}
		return [...seen]
	})
	assert.ok(colours.length > 0, 'candles are drawn')
	await accessible(page, "a coin's page")
	await page.goto(`${url}/#/coin/no-such-coin`)
	await page.getByRole('heading', { level: 1 }).filter({ hasText: /no-such-coin/ }).waitFor()
})

check('operators see tiers, feeds and the last hour', async t => {
	const page = await open(t, '/#/status')
	await page.locator('.status-verdict[data-level=well], .status-verdict[data-level=warn]').waitFor()
	await until(async () => (await page.locator('table').first().innerText()).includes('tier1'), 'the tiers')
	const text = await page.locator('#main').innerText()
	for (const word of ['PostgreSQL', 'Redis', 'Streams', 'Requests', 'Memory']) assert.ok(text.includes(word), word)
	await until(async () => (await page.locator('.plot-line').count()) >= 4, 'plots, once there are samples')
	await accessible(page, 'the status')
})

check('simulated prices are told from real ones', async t => {
	const page = await open(t)
	await page.locator('.banner[data-kind=simulated]').waitFor()
	assert.match(await page.locator('.banner[data-kind=simulated]').innerText(), /Simulated prices/)
})

check('on a phone, dark or light, nothing overflows', async t => {
	for (const colorScheme of ['light', 'dark']) {
		const page = await open(t, '/', { viewport: { width: 390, height: 844 }, colorScheme, hasTouch: true, isMobile: true })
		await filled(page)
		await fits(page, 'the table')
		const light = await page.evaluate(() => Number(getComputedStyle(document.body).backgroundColor.match(/\d+/)?.[0]) > 127)
		assert.equal(light, colorScheme === 'light')
		await accessible(page, `the table on a phone, ${colorScheme}`)
		for (const path of ['/#/coin/bitcoin', '/#/status', '/#/portfolio', '/#/watchlist']) {
			await page.goto(url + path)
			await page.locator('h1').waitFor()
			if (path.includes('coin')) await page.locator('.chart canvas').first().waitFor()
			await fits(page, path)
			await accessible(page, `${path} on a phone, ${colorScheme}`)
		}
		await page.context().close()
	}
})

check('the theme can be chosen', async t => {
	const page = await open(t)
	await filled(page)
	const dark = () => page.evaluate(() => Number(getComputedStyle(document.body).backgroundColor.match(/\d+/)?.[0]) < 127)
	assert.equal(await dark(), false)
	await until(async () => {
		await page.getByRole('button', { name: /^Theme/ }).click()
		return dark()
	}, 'dark')
	await page.reload()
	await filled(page)
	assert.equal(await dark(), true, 'kept')
})

check('the daemon goes and comes back: the page recovers by itself and has missed nothing', async t => {
	const page = await open(t)
	await filled(page)
	await until(async () => (await statusLabel(page)) === 'Live · 24/7', 'live')
	await stopDaemon()
	await until(async () => (await page.locator('.market-status').getAttribute('data-state')) === 'offline', 'it shows that it reconnects')
	assert.match(await statusLabel(page), /^Reconnecting/)
	await page.locator('.banner[data-kind=lost]').waitFor()
	await pin('dogecoin', { price: '0.4242', rank: '10' })
	await startDaemon()
	await until(async () => (await statusLabel(page)) === 'Live · 24/7', 'live again')
	await until(async () => (await cell(page, 'dogecoin', 'price').innerText()).includes('0.4242'), 'what moved meanwhile')
	await page.locator('.banner[data-kind=lost]').waitFor({ state: 'detached' })
})

check('CoinLore falls silent: delayed, never closed', async t => {
	const page = await open(t)
	await filled(page)
	await post('/sim/fault?mode=status&status=503')
	t.after(() => post('/sim/fault', 'DELETE'))
	await until(async () => /^Delayed, last price \d+ s ago$/.test(await statusLabel(page)), 'delayed', DELAYED_AFTER + DEADLINE)
	assert.doesNotMatch(await page.locator('body').innerText(), /closed/i)
	await accessible(page, 'delayed')
	await page.goto(`${url}/#/status`)
	await page.locator('.status-verdict[data-level=bad], .status-verdict[data-level=warn]').waitFor()
	await post('/sim/fault', 'DELETE')
	await until(async () => (await statusLabel(page)) === 'Live · 24/7', 'live again', 2 * DEADLINE)
})
