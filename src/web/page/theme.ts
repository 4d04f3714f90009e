// Light, dark, or as the system has it: the choice is kept, and told to the style sheet by data-theme on the root element.
import { useSyncExternalStore } from 'react'
import { stored, useStored } from './storage'

export type ThemeChoice = 'system' | 'light' | 'dark'

const choices: readonly unknown[] = ['system', 'light', 'dark']
const choice = stored<ThemeChoice>('theme', 'system', value => (choices.includes(value) ? (value as ThemeChoice) : undefined))
const system = window.matchMedia('(prefers-color-scheme: dark)')

export function setTheme(next: ThemeChoice): void {
	choice.set(next)
}

/** Whether the page is dark now. */
export function isDark(): boolean {
	return choice.get() === 'dark' || (choice.get() === 'system' && system.matches)
}

/** Called after the colours changed, by the user or the system. */
export function onTheme(listener: () => void): () => void {
	const stop = choice.subscribe(listener)
	system.addEventListener('change', listener)
	return () => {
		stop()
		system.removeEventListener('change', listener)
	}
}

function apply(): void {
	const root = document.documentElement
	if (choice.get() === 'system') delete root.dataset.theme
	else root.dataset.theme = choice.get()
	document.querySelector('meta[name=theme-color]')?.setAttribute('content', isDark() ? '#0d1117' : '#ffffff')
}

/** Before the first render, and first among the listeners: those who read computed colours see the new ones. */
export function startTheme(): void {
	apply()
	onTheme(apply)
}

export function useTheme(): { choice: ThemeChoice; dark: boolean } {
	const dark = useSyncExternalStore(onTheme, isDark)
	return { choice: useStored(choice), dark }
}
