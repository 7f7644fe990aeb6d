import type { IncomingMessage } from 'node:http'

/** Why there is no body: too large, no memory left for another big one, or the sender broke off. */
export type NoBody = 'too_large' | 'full' | 'aborted'

/** Meta posts up to 3 MB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
const MAX_UPLOADING_BYTES = 128 * 1024 * 1024
const ALWAYS_WELCOME_BYTES = 64 * 1024

/**
 * A reader of raw request bodies, with or without content-length, of up to 4 MB each. Whoever sends them is not
 * known yet, so all big ones together get 128 MB; bodies of up to 64 KB always pass, so a crowd of big ones
 * cannot keep ordinary deliveries out. The reader never rejects.
 */
export function createBodyReader(): (req: IncomingMessage) => Promise<Buffer | NoBody> {
  let uploading = 0

  function collect(req: IncomingMessage, resolve: (outcome: Buffer | NoBody) => void): void {
    let chunks: Buffer[] = []
    let length = 0
    const settle = (outcome: Buffer | NoBody) => {
      req.off('data', onData)
      uploading -= length
      length = 0
      chunks = []
      resolve(outcome)
    }
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      uploading += chunk.length
      if (length > MAX_BODY_BYTES) settle('too_large')
      else if (length > ALWAYS_WELCOME_BYTES && uploading > MAX_UPLOADING_BYTES) settle('full')
    }
    req.on('data', onData)
    req.once('end', () => settle(Buffer.concat(chunks)))
    req.once('close', () => settle('aborted'))
  }

  return async (req) => {
    if (Number(req.headers['content-length']) > MAX_BODY_BYTES) return 'too_large'
    return new Promise((resolve) => collect(req, resolve))
  }
}
