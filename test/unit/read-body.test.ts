import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { createBodyReader } from '../../src/receiver/read-body.ts'

const KB = 1_024

/** A reader for at most 200 KB of large bodies and 260 KB of all, and a way to begin an upload of some KB. */
function reader() {
  const read = createBodyReader({ large: 200 * KB, small: 260 * KB })
  const upload = (kilobytes: number) => {
    const request = Object.assign(new PassThrough(), { headers: {} })
    const outcome = read(request as object as IncomingMessage)
    request.write(Buffer.alloc(kilobytes * KB))
    return { outcome, end: () => request.end() }
  }
  return { upload }
}

it('small bodies have memory of their own that large ones cannot take, and it has a bound', async () => {
  const { upload } = reader()
  const large = [upload(100), upload(90)]
  const small = [upload(30), upload(30)]
  expect(await upload(100).outcome).toBe('full')
  expect(await upload(30).outcome).toBe('full')
  for (const { end } of [...large, ...small]) end()
  const bodies = await Promise.all([...large, ...small].map(({ outcome }) => outcome))
  expect(bodies.map((body) => body.length)).toEqual([100, 90, 30, 30].map((n) => n * KB))
  const next = upload(30)
  next.end()
  expect(await next.outcome).toHaveLength(30 * KB)
})
