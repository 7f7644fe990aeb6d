import type { IncomingMessage } from 'node:http'

/** Why there is no body: it is too large, large bodies use up their memory already, or the sender broke off. */
export type BodyFailure = 'too_large' | 'full' | 'aborted'

/** Meta posts up to 3 MB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
/** Shared by all large bodies that are being uploaded. */
const MAX_UPLOADING_BYTES = 128 * 1024 * 1024
const SMALL_BODY_BYTES = 64 * 1024

/**
 * Creates a reader of raw request bodies of up to 4 MB each, with or without `content-length`. The sender is not yet
 * known to be Meta, so all bodies together may take at most 128 MB of memory while they are uploaded. Bodies of up to
 * 64 KB are always read, so that many large uploads cannot shut out ordinary deliveries. The reader never rejects.
 */
export function createBodyReader(): (req: IncomingMessage) => Promise<Buffer | BodyFailure> {
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
      else if (length > SMALL_BODY_BYTES && uploading > MAX_UPLOADING_BYTES) finish('full')
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
