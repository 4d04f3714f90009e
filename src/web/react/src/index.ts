/**
 * crypto-rt-react: real-time prices of coins for React, from a crypto_rt daemon.
 */
export { CryptoRtClient, defaultClient } from './client.js'
export { formatAge, formatCompact, formatPercent, formatPrice } from './format.js'
export { CryptoRtProvider, useCryptoClient, useCryptoPrice, useCryptoPrices, useCryptoStream, useMarketStatus } from './hooks.js'
export type { CryptoStream, CryptoStreamOptions } from './hooks.js'
export { marketStatus } from './status.js'
export type { Connection, CryptoPrice, FeedStats, MarketStatus, Stats, Tick, TickListener, Ticks, TierStats } from './types.js'
