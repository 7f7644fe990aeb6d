import type { ErrorRequestHandler } from 'express'
import { ApiError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { renderPage, type ShellOf } from './layout.tsx'

/** Answers errors as a page: an `ApiError` with its message; any other error without a reason, which is in the log. */
export function createErrorPage(shellOf: ShellOf, log: Logger): ErrorRequestHandler {
  return (err: unknown, req, res, next) => {
    const known = err instanceof ApiError ? err : undefined
    if (!known) log.error({ err }, 'a page of the console failed')
    if (res.headersSent) return next(err)
    const text =
      known?.message ??
      'The reason is in the log. While PostgreSQL is unavailable no page can be shown. Try again later.'
    const title = known ? 'The request was refused' : 'Something went wrong'
    const children = (
      <>
        <h1>{title}</h1>
        <p>{text}</p>
      </>
    )
    res
      .status(known?.status ?? 500)
      .type('html')
      .send(renderPage({ shell: shellOf(req), title, children }))
  }
}
