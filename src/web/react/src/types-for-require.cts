/**
 * The same types for who says require(): TypeScript's node16 would take index.d.ts for a module that cannot be required.
 */
export * from './index.js'
