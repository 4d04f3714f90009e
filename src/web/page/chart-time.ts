// Times on the chart in the viewer's zone. The library counts days and hours in UTC only, and shifting the data would put two hours
// at one place when clocks go back; so the data stay as they are, and only where a day or an hour begins is told in local time.
// Candles of a day are days of UTC, as the daemon makes them, and are written so.
import {
	defaultHorzScaleBehavior, TickMarkType, type IHorzScaleBehavior, type Time, type TimeChartOptions, type TimeScalePoint, type UTCTimestamp
} from 'lightweight-charts'
import type { Interval } from './candles'

export type TimeScale = Omit<IHorzScaleBehavior<Time>, 'options'> & { options(): TimeChartOptions }
type Points = Parameters<IHorzScaleBehavior<Time>['fillWeightsForPoints']>[0]

/** Seconds to add to a time to read local time with UTC's clockwork. */
export const zoneShift = (time: number): number => -new Date(time * 1000).getTimezoneOffset() * 60

/** The library's time scale, with days and hours that begin where the viewer's do. */
export function localTimeScale(): TimeScale {
	const Base = defaultHorzScaleBehavior()
	return new (class extends Base {
		override fillWeightsForPoints(points: Points, startIndex: number): void {
			// one point before the first is looked at, to see what has begun
			const from = Math.max(0, startIndex - 1)
			const shifted = points.slice(from).map((point: TimeScalePoint) => {
				const time = point.originalTime as number
				return { ...point, time: this.convertHorzItemToInternal((time + zoneShift(time)) as UTCTimestamp) }
			})
			super.fillWeightsForPoints(shifted, startIndex - from)
			for (let i = startIndex; i < points.length; i++) points[i]!.timeWeight = shifted[i - from]!.timeWeight
		}
	})() as TimeScale
}

export interface TimeFormat {
	/** a candle's begin, for the legend and the crosshair */
	full(time: number): string
	/** a label of the time axis; the type says what has begun there */
	tick(time: number, type: TickMarkType): string
}

// the browser's own order of day and month, but words in the page's language
const formats = new Map<string, Intl.DateTimeFormat>()

function format(time: number, options: Intl.DateTimeFormatOptions): string {
	const key = JSON.stringify(options)
	const format = formats.get(key) ?? new Intl.DateTimeFormat('en-GB', options)
	formats.set(key, format)
	return format.format(time * 1000)
}

/** @param seconds prices of single seconds are shown, not candles */
export function timeFormat(interval: Interval, seconds = false): TimeFormat {
	const zone: Intl.DateTimeFormatOptions = interval === '1d' ? { timeZone: 'UTC' } : {}
	const day: Intl.DateTimeFormatOptions = { ...zone, day: 'numeric', month: 'short' }
	const clock: Intl.DateTimeFormatOptions = { ...zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
	return {
		full: time =>
			format(time, { ...day, weekday: 'short', year: 'numeric' }) +
			(interval === '1d' ? ' UTC' : ' ' + format(time, seconds ? { ...clock, second: '2-digit' } : clock)),
		tick: (time, type) => {
			if (type === TickMarkType.Year) return format(time, { ...zone, year: 'numeric' })
			if (type === TickMarkType.Month) return format(time, { ...zone, month: 'short' })
			if (type === TickMarkType.DayOfMonth) return format(time, day)
			return format(time, type === TickMarkType.TimeWithSeconds ? { ...clock, second: '2-digit' } : clock)
		}
	}
}
