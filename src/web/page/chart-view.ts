// The chart itself: a thin layer over lightweight-charts, which draws on canvases and knows nothing of React. It is given candles, or,
// where there is no history, the prices seen; colours come from the page's custom properties.
import {
	CandlestickSeries, createChartEx, HistogramSeries, LineSeries, TrackingModeExitMode,
	type CandlestickData, type HistogramData, type IChartApiBase, type ISeriesApi, type AutoscaleInfo, type Time, type UTCTimestamp
} from 'lightweight-charts'
import { decimalsOf, fixedPrice, type Candle, type Interval } from './candles'
import type { Seen } from './candles-feed'
import { localTimeScale, timeFormat, type TimeScale } from './chart-time'
import { onTheme } from './theme'

export interface View {
	setCandles(candles: readonly Candle[]): void
	/** the newest candle became another, or is a new one */
	update(candle: Candle): void
	setSeen(seen: readonly Seen[]): void
	addSeen(point: Seen): void
	/** the wheel zooms the chart, not scrolls the page */
	wheel(on: boolean): void
	/** move by so many candles, to the right when positive */
	pan(candles: number): void
	/** show fewer candles (below 1) or more */
	zoom(factor: number): void
	latest(): void
	remove(): void
}

interface Handlers {
	/** begin of the candle under the crosshair, or null */
	hover(time: number | null): void
	/** how many candles lie to the left of what is visible, and whether the newest is visible */
	visible(before: number, latest: boolean): void
}

const startBars = 120

/** What the style sheet makes of a custom property, as rgb(): the library parses no newer notations. */
function colourReader(element: HTMLElement): (name: string, alpha?: number) => string {
	const style = getComputedStyle(element)
	const canvas = document.createElement('canvas')
	canvas.width = canvas.height = 1
	const brush = canvas.getContext('2d', { willReadFrequently: true })!
	return (name, alpha = 1) => {
		brush.clearRect(0, 0, 1, 1)
		brush.fillStyle = style.getPropertyValue(name).trim() || '#888'
		brush.fillRect(0, 0, 1, 1)
		const [r = 0, g = 0, b = 0, a = 255] = brush.getImageData(0, 0, 1, 1).data
		return `rgba(${r}, ${g}, ${b}, ${((a / 255) * alpha).toFixed(3)})`
	}
}

const stamp = (time: number): UTCTimestamp => time as UTCTimestamp

const asCandle = (c: Candle): CandlestickData => ({ time: stamp(c.time), open: c.open, high: c.high, low: c.low, close: c.close })

// without a value the column is left out
const asVolume = (c: Candle): HistogramData | { time: Time } =>
	c.volume === null ? { time: stamp(c.time) } : { time: stamp(c.time), value: c.volume }

export function createView(element: HTMLElement, interval: Interval, kind: 'candles' | 'line', handlers: Handlers): View {
	const times = timeFormat(kind === 'line' ? '1m' : interval, kind === 'line')
	const chart = createChartEx<Time, TimeScale>(element, localTimeScale(), {
		autoSize: true,
		layout: { attributionLogo: false, fontSize: 11 },
		localization: { timeFormatter: (time: Time) => times.full(time as number) },
		timeScale: {
			timeVisible: interval !== '1d' || kind === 'line',
			secondsVisible: kind === 'line',
			rightOffset: 4,
			minBarSpacing: 1.5,
			tickMarkFormatter: (time: Time, type: number) => times.tick(time as number, type)
		},
		rightPriceScale: { scaleMargins: { top: 0.08, bottom: kind === 'line' ? 0.08 : 0.26 }, borderVisible: false },
		// a finger that moves up or down scrolls the page; the wheel, until the chart has the focus, too
		handleScroll: { vertTouchDrag: false, mouseWheel: false },
		handleScale: { mouseWheel: false },
		trackingMode: { exitMode: TrackingModeExitMode.OnNextTap }
	})
	const scale = chart.timeScale()
	const main = kind === 'line'
		? chart.addSeries(LineSeries, { lineWidth: 2 }) as ISeriesApi<'Line'>
		: chart.addSeries(CandlestickSeries) as ISeriesApi<'Candlestick'>
	const volumes = kind === 'line' ? null : chart.addSeries(HistogramSeries, {
		priceScaleId: 'volume',
		priceFormat: { type: 'volume' },
		lastValueVisible: false,
		priceLineVisible: false,
		// from zero, so that the columns' heights compare
		autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => {
			const info = original()
			return info?.priceRange ? { ...info, priceRange: { minValue: 0, maxValue: info.priceRange.maxValue } } : info
		}
	})
	volumes?.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } })

	let length = 0
	let decimals = -1

	function setPrecision(price: number): void {
		if (decimalsOf(price) === decimals) return
		const digits = (decimals = decimalsOf(price))
		// base instead of minMove: 1e-12 and the like are no exact numbers
		main.applyOptions({
			priceFormat: { type: 'custom', formatter: (n: number) => fixedPrice(n, digits), minMove: 10 ** -digits, base: 10 ** digits }
		})
	}

	function paint(): void {
		const colour = colourReader(element)
		const border = colour('--border')
		chart.applyOptions({
			layout: {
				background: { color: colour('--surface') },
				textColor: colour('--muted'),
				fontFamily: getComputedStyle(element).fontFamily
			},
			grid: { vertLines: { color: colour('--border', 0.5) }, horzLines: { color: colour('--border', 0.5) } },
			crosshair: {
				vertLine: { color: colour('--muted', 0.7), labelBackgroundColor: colour('--accent') },
				horzLine: { color: colour('--muted', 0.7), labelBackgroundColor: colour('--accent') }
			},
			timeScale: { borderColor: border }
		})
		// not that of the last candle: its label would not be read on a light red
		main.applyOptions({ priceLineColor: colour('--accent') })
		if (kind === 'line') main.applyOptions({ color: colour('--accent') })
		else {
			const [up, down] = [colour('--up'), colour('--down')]
			// those that rose are hollow, for colours are not told apart by everybody
			main.applyOptions({
				upColor: colour('--surface'), wickUpColor: up, borderUpColor: up, downColor: down, wickDownColor: down, borderDownColor: down
			})
		}
		volumes?.applyOptions({ color: colour('--muted', 0.28) })
	}
	paint()
	const endTheme = onTheme(paint)

	chart.subscribeCrosshairMove(event => handlers.hover(event.point === undefined || event.time === undefined ? null : (event.time as number)))
	const look = () => {
		const range = scale.getVisibleLogicalRange()
		if (range !== null && length > 0) handlers.visible(range.from, range.to >= length - 1)
	}
	scale.subscribeVisibleLogicalRangeChange(look)

	function begin(): void {
		const room = Math.min(startBars, Math.max(40, Math.floor(element.clientWidth / 8)))
		// few candles are drawn larger, but not so that they look like blocks
		const wide = Math.min(room, Math.max(24, length * 1.2))
		scale.setVisibleLogicalRange({ from: length - wide, to: length + 2 })
	}

	return {
		setCandles(candles) {
			const first = length === 0
			length = candles.length
			setPrecision(candles.at(-1)?.close ?? 0)
			;(main as ISeriesApi<'Candlestick'>).setData(candles.map(asCandle))
			volumes?.setData(candles.map(asVolume))
			if (first && length > 0) begin()
			look()
		},
		update(candle) {
			const newest = (main as ISeriesApi<'Candlestick'>).data().at(-1)
			if (newest === undefined || (newest.time as number) < candle.time) length++
			setPrecision(candle.close)
			;(main as ISeriesApi<'Candlestick'>).update(asCandle(candle))
			volumes?.update(asVolume(candle))
		},
		setSeen(seen) {
			length = seen.length
			setPrecision(seen.at(-1)?.value ?? 0)
			;(main as ISeriesApi<'Line'>).setData(seen.map(({ time, value }) => ({ time: stamp(time), value })))
			scale.fitContent()
		},
		addSeen({ time, value }) {
			;(main as ISeriesApi<'Line'>).update({ time: stamp(time), value })
			length = (main as ISeriesApi<'Line'>).data().length
			// until there is something to scroll
			if (length < 60) scale.fitContent()
		},
		wheel: on => chart.applyOptions({ handleScroll: { mouseWheel: on }, handleScale: { mouseWheel: on } }),
		pan(candles) {
			const range = scale.getVisibleLogicalRange()
			// as far as there is something to be seen
			if (range === null || (candles < 0 ? range.from <= 0 : range.to >= length + 10)) return
			scale.scrollToPosition(scale.scrollPosition() + candles, false)
		},
		zoom(factor) {
			const range = scale.getVisibleLogicalRange()
			if (range === null) return
			const wide = Math.max(10, (range.to - range.from) * factor)
			// the newest candle stays where it is, when it is to be seen
			scale.setVisibleLogicalRange({ from: range.to - wide, to: range.to })
		},
		latest: () => begin(),
		remove() {
			endTheme()
			;(chart as IChartApiBase<Time>).remove()
		}
	}
}
