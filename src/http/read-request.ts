import express, { type Request, type Response } from 'express'
import type { Described } from './endpoint.ts'
import { invalidInput } from './parse-input.ts'

const parseJson = express.json({ limit: '1mb', strict: false, type: () => true })

const BODY_FAULTS: Record<string, string> = {
  'entity.parse.failed': 'is not JSON',
  'entity.too.large': 'is larger than 1 MB',
}
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/

/**
 * Reads the body as JSON into `req.body`, whatever its content type says.
 * @throws ApiError of `invalidInput` for a body that is not JSON or larger than 1 MB
 */
export async function readBody(
  { errors }: Pick<Described, 'errors'>,
  req: Request,
  res: Response,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    parseJson(req, res, (error?: Error & { status?: number; type?: string }) => {
      if (error === undefined) return resolve()
      if (!error.status || error.status >= 500) return reject(error)
      const message = BODY_FAULTS[error.type ?? ''] ?? 'cannot be read'
      reject(invalidInput([{ path: 'body', message }], 422 in errors))
    })
  })
}

/**
 * The header `Idempotency-Key`; undefined without one.
 * @throws ApiError of `invalidInput` for a key that is not 1 to 255 printable ASCII characters
 */
export function readIdempotencyKey({ errors }: Pick<Described, 'errors'>, req: Request): string | undefined {
  const key = req.get('idempotency-key')
  if (key === undefined || IDEMPOTENCY_KEY.test(key)) return key
  const message = 'must be 1 to 255 printable ASCII characters'
  throw invalidInput([{ path: 'Idempotency-Key', message }], 422 in errors)
}
