// A small plot of the last hour: a line over an area, gaps where nothing was known, and what pointer or keyboard point at. The drawing is
// one picture with a sentence for those who do not see it; the keyboard moves along it as along a slider.
import { useId, useState, type KeyboardEvent, type PointerEvent } from 'react'
import type { Series } from './status-data'

const samples = 360
const [width, height] = [samples - 1, 60]

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })

interface Props {
	title: string
	series: Series | null
	format: (n: number | null) => string
	/** said after the value: 'a second', 'open' */
	unit?: string
	/** values at or above it are drawn in the colour of a warning */
	warnAt?: number
}

export function Plot({ title, series, format, unit = '', warnAt }: Props) {
	const [at, setAt] = useState<number | null>(null)
	const id = useId()
	// the newest stands at the right edge, however few there are
	const values = series === null ? [] : series.values.slice(-samples)
	const pad = samples - values.length
	const known = values.filter(value => value !== null)
	const now = values.at(-1) ?? null
	const [least, most] = [known.length ? Math.min(...known) : null, known.length ? Math.max(...known) : null]
	const top = nice(most ?? 0)
	const x = (i: number): number => pad + i
	const y = (value: number): number => height - 2 - (value / top) * (height - 6)
	const said = (value: number | null): string => (value === null ? 'not known' : format(value) + (unit && ` ${unit}`))
	const when = (i: number): string => (series === null ? '' : clock.format((series.until - (values.length - 1 - i) * series.step) * 1000))
	const minutes = Math.max(1, Math.round((values.length * (series?.step ?? 10)) / 60))
	const sentence = known.length === 0
		? `${title}: nothing is known of the last hour`
		: `${title} over the last ${minutes} minutes: now ${said(now)}, least ${format(least)}, most ${format(most)}`
	const here = at === null ? null : Math.min(at, values.length - 1)
	const shown = here ?? values.length - 1
	const value = here === null ? null : (values[here] ?? null)
	const warned = warnAt !== undefined && now !== null && now >= warnAt

	function point(event: PointerEvent<HTMLElement>): void {
		const box = event.currentTarget.getBoundingClientRect()
		const i = Math.round(((event.clientX - box.left) / box.width) * width) - pad
		setAt(values.length === 0 ? null : Math.max(0, Math.min(values.length - 1, i)))
	}

	function step(event: KeyboardEvent): void {
		const last = values.length - 1
		const from = here ?? last
		const to = {
			ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1, PageUp: from + 30, PageDown: from - 30,
			Home: 0, End: last
		}[event.key]
		if (to === undefined || last < 0) return
		event.preventDefault()
		setAt(Math.max(0, Math.min(last, to)))
	}

	return (
		<figure className={`plot${warned ? ' plot-warn' : ''}`}>
			<figcaption>
				<span className="plot-title" id={id}>{title}</span>
				<span className="plot-now">{format(now)}{unit && now !== null && <small> {unit}</small>}</span>
			</figcaption>
			<div className="plot-area"
				role="slider" tabIndex={values.length ? 0 : -1} aria-labelledby={id} aria-orientation="horizontal"
				aria-valuemin={0} aria-valuemax={Math.max(0, values.length - 1)} aria-valuenow={Math.max(0, shown)}
				aria-valuetext={values.length ? `${said(values[shown] ?? null)} at ${when(shown)}` : 'nothing is known'}
				aria-disabled={values.length === 0}
				onPointerMove={point} onPointerDown={point} onPointerLeave={() => setAt(null)}
				onKeyDown={step} onFocus={event => event.currentTarget.matches(':focus-visible') && setAt(values.length - 1)} onBlur={() => setAt(null)}
			>
				<svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={sentence} focusable="false">
					<path className="plot-base" d={`M0 ${height - 2}H${width}`} />
					{runs(values).map(run => (
						<g key={run[0]}>
							<path className="plot-fill" d={area(run, values, x, y)} />
							<path className="plot-line" d={line(run, values, x, y)} />
						</g>
					))}
				</svg>
				{here !== null && here >= 0 && (
					<>
						<i className="plot-hair" style={{ left: `${(x(here) / width) * 100}%` }} />
						{value !== null && <i className="plot-dot" style={{ left: `${(x(here) / width) * 100}%`, top: `${(y(value) / height) * 100}%` }} />}
					</>
				)}
			</div>
			<p className="plot-foot" aria-hidden="true">
				{here !== null && here >= 0
					? <span className="plot-said">{value === null ? 'not known' : said(value)} · {when(here)}</span>
					: known.length === 0 ? <span>nothing known yet</span> : <><span>min {format(least)}</span><span>max {format(most)}</span></>}
			</p>
		</figure>
	)
}

/** Indices of the first and the last of each run of values without a gap. */
function runs(values: readonly (number | null)[]): [number, number][] {
	const all: [number, number][] = []
	values.forEach((value, i) => {
		const last = all.at(-1)
		if (value === null) return
		if (last && last[1] === i - 1) last[1] = i
		else all.push([i, i])
	})
	return all
}

type Place = (n: number) => number

function line([from, to]: [number, number], values: readonly (number | null)[], x: Place, y: Place): string {
	// a single value is drawn as a short stroke, or it would not be seen
	if (from === to) return `M${x(from) - 0.5} ${y(values[from]!).toFixed(1)}h1`
	return values.slice(from, to + 1).map((value, i) => `${i ? 'L' : 'M'}${x(from + i)} ${y(value!).toFixed(1)}`).join('')
}

function area(run: [number, number], values: readonly (number | null)[], x: Place, y: Place): string {
	return `${line(run, values, x, y)}V${height - 2}H${x(run[0])}Z`
}

/** The next round number: the scale does not move with every sample. */
function nice(most: number): number {
	if (!(most > 0)) return 1
	const power = 10 ** Math.floor(Math.log10(most))
	return power * ([1, 1.5, 2, 3, 4, 5, 7.5, 10].find(step => step * power >= most) ?? 10)
}
