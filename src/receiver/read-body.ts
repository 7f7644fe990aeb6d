import type { IncomingMessage } from 'node:http'

/** Why there is no body: it is too large, large bodies use up their memory already, or the sender broke off. */
export type BodyFailure = 'too_large' | 'full' | 'aborted'

/** Meta posts up to 3 MB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
const SMALL_BODY_BYTES = 64 * 1024

/** Bytes that all bodies together may take while they are uploaded; beyond them, bodies of that size are refused. */
export type UploadLimits = { large: number; small: number }

const LIMITS: UploadLimits = { large: 128 * 1024 * 1024, small: 160 * 1024 * 1024 }

/**
 * Creates a reader of raw request bodies of up to 4 MB each, with or without `content-length`. The sender is not yet
 * known to be Meta, so all bodies together may take at most 160 MB of memory while they are uploaded. The last 32 MB are
 * for bodies of up to 64 KB, so that many large uploads cannot shut out ordinary deliveries. The reader never rejects.
 */
export function createBodyReader(
  limits: UploadLimits = LIMITS,
): (req: IncomingMessage) => Promise<Buffer | BodyFailure> {
  let uploading = 0

  function collect(req: IncomingMessage, resolve: (outcome: Buffer | BodyFailure) => void): void {
    let chunks: Buffer[] = []
    let length = 0
    const finish = (outcome: Buffer | BodyFailure) => {
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
      if (length > MAX_BODY_BYTES) finish('too_large')
      else if (uploading > (length > SMALL_BODY_BYTES ? limits.large : limits.small)) finish('full')
    }
    req.on('data', onData)
    req.once('end', () => finish(Buffer.concat(chunks)))
    req.once('close', () => finish('aborted'))
  }

  return async (req) => {
    if (Number(req.headers['content-length']) > MAX_BODY_BYTES) return 'too_large'
    return new Promise((resolve) => collect(req, resolve))
  }
}
