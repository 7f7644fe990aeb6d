import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestHandler } from 'express'
import { ApiError } from '../../errors.ts'
import { projectRoot } from '../../project-root.ts'

const TYPES = {
  'console.css': 'text/css; charset=utf-8',
  'console.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

type AssetName = keyof typeof TYPES

/** The URLs of the console's files. Each contains a hash of the content, so browsers may cache it for ever. */
export type AssetUrls = Record<AssetName, string>

/** Reads the console's files once; `serve` is the handler of `<base>/:hash/:name`. */
export function loadAssets(base: string): {
  urls: AssetUrls
  serve: RequestHandler<{ hash: string; name: string }>
} {
  const files = new Map<string, { type: string; body: Buffer }>()
  const urls: Partial<AssetUrls> = {}
  for (const name of Object.keys(TYPES) as AssetName[]) {
    const body = readFileSync(join(projectRoot(), 'assets', name))
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
    files.set(`${hash}/${name}`, { type: TYPES[name], body })
    urls[name] = `${base}/${hash}/${name}`
  }
  const serve: RequestHandler<{ hash: string; name: string }> = (req, res) => {
    const file = files.get(`${req.params.hash}/${req.params.name}`)
    if (!file) throw new ApiError('NOT_FOUND')
    res
      .set({ 'content-type': file.type, 'cache-control': 'private, max-age=31536000, immutable' })
      .end(file.body)
  }
  return { urls: urls as AssetUrls, serve }
}
