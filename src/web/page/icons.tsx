// The few icons, drawn in the text's colour. All are decoration: what they stand on has a name of its own.
import type { ReactNode } from 'react'

function Icon({ children, fill }: { children: ReactNode; fill?: boolean }) {
	return (
		<svg className="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false"
			fill={fill ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
			{children}
		</svg>
	)
}

const STAR = 'M10 2.8l2.2 4.6 5 .7-3.6 3.5.9 5L10 14.2l-4.5 2.4.9-5L2.8 8.1l5-.7z'

export const StarIcon = ({ on }: { on: boolean }) => <Icon fill={on}><path d={STAR} /></Icon>
export const CoinsIcon = () => <Icon><path d="M3 16V9M8 16V4M13 16v-5M18 16V7" /></Icon>
export const PortfolioIcon = () => <Icon><path d="M10 3v7h7A7 7 0 1 1 10 3z" /><path d="M13 3.6A7 7 0 0 1 16.4 7H13z" /></Icon>
export const StatusIcon = () => <Icon><path d="M2 10h4l2-5 4 10 2-5h4" /></Icon>
export const SearchIcon = () => <Icon><circle cx="9" cy="9" r="5.5" /><path d="M13.2 13.2L17 17" /></Icon>
export const CloseIcon = () => <Icon><path d="M5 5l10 10M15 5L5 15" /></Icon>
export const SunIcon = () => <Icon><circle cx="10" cy="10" r="3.4" /><path d="M10 2v1.6M10 16.4V18M2 10h1.6M16.4 10H18M4.3 4.3l1.2 1.2M14.5 14.5l1.2 1.2M4.3 15.7l1.2-1.2M14.5 5.5l1.2-1.2" /></Icon>
export const MoonIcon = () => <Icon><path d="M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7z" /></Icon>
export const SystemIcon = () => <Icon><circle cx="10" cy="10" r="6.5" /><path d="M10 3.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" /></Icon>
export const WarnIcon = () => <Icon><path d="M10 3.2L17.6 16H2.4z" /><path d="M10 8.2v3.6M10 13.9v.1" /></Icon>
