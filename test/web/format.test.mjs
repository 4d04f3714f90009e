// format.test.mjs: figures as people read them, through the built package.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAge, formatCompact, formatPercent, formatPrice } from '../../src/web/react/dist/index.js'

const table = (name, format, rows) =>
	test(name, () => {
		for (const [given, expected] of rows) assert.equal(format(given), expected, `${name}(${given})`)
	})

table('formatPrice', formatPrice, [
	[77146.66, '$77,146.66'],
	[3044.05, '$3,044.05'],
	[1, '$1.00'],
	[1.5, '$1.50'],
	[1.2345, '$1.2345'],
	[1.23456, '$1.2346'],
	[9.99999, '$10.00'],
	[10.12345, '$10.12'],
	[999.999, '$1,000.00'],
	[1234567.891, '$1,234,567.89'],
	[1e21, '$1,000,000,000,000,000,000,000.00'],
	[0.2345, '$0.2345'],
	[0.23454, '$0.2345'],
	[0.5, '$0.50'],
	[0.1, '$0.10'],
	[0.1004, '$0.1004'],
	[0.10004, '$0.10'],
	[0.99996, '$1.00'],
	[0.09999, '$0.09999'],
	[0.012154, '$0.01215'],
	[0.01, '$0.01'],
	[0.001, '$0.001'],
	[0.00000812, '$0.00000812'],
	[0.000009, '$0.000009'],
	[1.5e-9, '$0.0000000015'],
	[3.14159e-15, '$0.000000000000003142'],
	[1e-120, '$0.00'],
	[0, '$0.00'],
	[-0, '$0.00'],
	[-12.5, '−$12.50'],
	[null, '–'],
	[undefined, '–'],
	[NaN, '–'],
	[Infinity, '–']
])

table('formatPercent', formatPercent, [
	[1.85, '+1.85 %'],
	[-0.98, '−0.98 %'],
	[0, '0.00 %'],
	[-0.001, '0.00 %'],
	[0.005, '+0.01 %'],
	[1234.5, '+1,234.50 %'],
	[22_512_345, '+22.5M %'],
	[-12_345, '−12.3K %'],
	[null, '–'],
	[NaN, '–']
])

table('formatCompact', formatCompact, [
	[1.540341799955e12, '1.54T'],
	[26_279_648_567.37, '26.28B'],
	[19_970_852, '19.97M'],
	[812.349, '812.35'],
	[1000, '1K'],
	[999_999, '1M'],
	[0.00231, '0.00231'],
	[0, '0'],
	[-1500, '−1.5K'],
	[null, '–']
])

test('formatCompact with a unit', () => {
	assert.equal(formatCompact(1.54e12, '$'), '$1.54T')
	assert.equal(formatCompact(-1.54e12, '$'), '−$1.54T')
})

table('formatAge', formatAge, [
	[0, '0 s'],
	[43.9, '43 s'],
	[59.99, '59 s'],
	[60, '1 min'],
	[240, '4 min'],
	[3599, '59 min'],
	[3600, '1 h'],
	[86399, '23 h'],
	[86400 * 3, '3 d'],
	[-5, '0 s'],
	[null, '–']
])

test('no price has an exponent, loses its first digits, or has fewer than two decimals', () => {
	for (let exponent = -30; exponent < 18; exponent++)
		for (const mantissa of [1, 1.00004, 1.2345678, 4.9996, 9.9994, 9.99951]) {
			const price = mantissa * 10 ** exponent
			const text = formatPrice(price)
			assert.match(text, /^\$[\d,]+\.\d{2,}$/)
			const read = Number(text.slice(1).replaceAll(',', ''))
			const error = Math.abs(read - price)
			assert.ok(error <= (price < 1 ? price * 6e-4 : 0.0051), `${price} is shown as ${text}`)
		}
})
