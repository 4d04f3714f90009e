// Where the page begins: the theme first, then the prices, then what is seen.
import { createRoot } from 'react-dom/client'
import { App } from './app'
import { market } from './market'
import { startTheme } from './theme'
import './style.css'
import './list.css'

/** The first prices are under way since index.html: when they are there in time, nothing is drawn twice. */
const PATIENCE_MS = 150

startTheme()
const root = document.getElementById('root')
const prices = market.start()
if (root) void Promise.race([prices, new Promise(resolve => setTimeout(resolve, PATIENCE_MS))]).then(() => createRoot(root).render(<App />))
