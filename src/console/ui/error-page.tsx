import type { ErrorRequestHandler } from 'express'
import { ApiError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { renderPage, type Shell } from './layout.tsx'

/** Answers what went wrong as a page: our refusals as they are, all else without a reason, which the log has. */
export function createErrorPage(shell: Shell, log: Logger): ErrorRequestHandler {
  return (err: unknown, _req, res, next) => {
    const refusal = err instanceof ApiError ? err : undefined
    if (!refusal) log.error({ err }, 'a page of the console failed')
    if (res.headersSent) return next(err)
    const text =
      refusal?.message ?? 'The log says why. While PostgreSQL is away no page can be shown: try again.'
    const title = refusal ? 'That did not work' : 'Something went wrong'
    const children = (
      <>
        <h1>{title}</h1>
        <p>{text}</p>
      </>
    )
    res
      .status(refusal?.status ?? 500)
      .type('html')
      .send(renderPage({ shell, title, children }))
  }
}
