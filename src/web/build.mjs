#!/usr/bin/env node
// build.mjs [--watch]: build the dashboard into build/web (or $WEB_OUT), the example into build/web-example, and the package
// crypto-rt-react into react/dist.
//
// Scripts and styles are named by what they hold, so that browsers may keep them for ever; index.html names them. Beside each
// file that shrinks by it lies the same as gzip.
import * as esbuild from 'esbuild'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const top = join(here, '../..')
const watch = process.argv.includes('--watch')
const version = /default_version = '([^']*)'/.exec(readFileSync(join(top, 'crypto_rt.control'), 'utf8'))?.[1] ?? ''

const common = {
	absWorkingDir: here,
	bundle: true,
	format: 'esm',
	target: 'es2022',
	jsx: 'automatic',
	alias: { 'crypto-rt-react': join(here, 'react/src/index.ts') },
	define: { 'process.env.NODE_ENV': '"production"', CRYPTO_RT_VERSION: JSON.stringify(version) },
	minify: !watch,
	legalComments: 'none',
	logLevel: 'warning'
}

/** A page: its index.html, in which {script} and {style} stand for the files that were built, and {preloads} for what the script imports. */
function page(folder, out) {
	return {
		...common,
		entryPoints: [join(folder, 'main.tsx')],
		outdir: out,
		splitting: true,
		entryNames: '[name]-[hash]',
		chunkNames: '[name]-[hash]',
		assetNames: '[name]-[hash]',
		metafile: true,
		sourcemap: watch ? 'inline' : false,
		plugins: [{ name: 'page', setup: build => build.onEnd(result => finish(join(here, folder), out, result.metafile)) }]
	}
}

/** All that an output imports at its start; what it loads later is not among it. */
function imports(metafile, output, found = new Set()) {
	for (const { path, kind } of metafile.outputs[output]?.imports ?? [])
		if (kind === 'import-statement' && !found.has(path)) imports(metafile, path, found.add(path))
	return [...found]
}

function finish(folder, out, metafile) {
	if (!metafile) return
	const built = Object.entries(metafile.outputs)
	const entry = built.find(([, o]) => o.entryPoint)
	const names = {
		script: basename(entry?.[0] ?? ''),
		style: basename(entry?.[1].cssBundle ?? ''),
		preloads: imports(metafile, entry?.[0]).map(name => `<link rel="modulepreload" href="/${basename(name)}">`).join('\n')
	}
	const keep = new Set(built.map(([name]) => basename(name)))
	for (const name of readdirSync(out)) if (!keep.has(name)) rmSync(join(out, name))
	writeFileSync(join(out, 'index.html'), readFileSync(join(folder, 'index.html'), 'utf8').replace(/\{(script|style|preloads)\}/g, (_, name) => names[name]))
	for (const name of ['favicon.svg', 'manifest.webmanifest'])
		if (existsSync(join(folder, name))) writeFileSync(join(out, name), readFileSync(join(folder, name)))
	for (const name of readdirSync(out)) {
		const bytes = readFileSync(join(out, name))
		const packed = gzipSync(bytes, { level: 9 })
		if (packed.length < bytes.length * 0.9) writeFileSync(join(out, name + '.gz'), packed)
	}
}

const out = process.env.WEB_OUT ?? join(top, 'build/web')
const builds = [page('page', out), page('example', out + '-example')]
for (const format of ['esm', 'cjs'])
	builds.push({
		...common,
		entryPoints: ['react/src/index.ts'],
		outfile: `react/dist/index.${format === 'esm' ? 'js' : 'cjs'}`,
		format,
		external: ['react'],
		minify: false,
		// for server components of Next.js: what uses hooks runs in the browser
		banner: { js: '"use client";' }
	})

if (watch) {
	for (const build of builds) await (await esbuild.context(build)).watch()
} else {
	await Promise.all(builds.map(build => esbuild.build(build)))
	const tsc = join(here, 'node_modules/typescript/bin/tsc')
	// types are for who installs the package; the dashboard needs none
	if (existsSync(tsc)) {
		const types = spawnSync(process.execPath, [tsc, '-p', 'react'], { cwd: here, stdio: 'inherit' })
		if (types.status !== 0) process.exit(types.status ?? 1)
	}
}
