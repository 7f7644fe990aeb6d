import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import type { Queue } from 'bullmq'
import type { Express, RequestHandler } from 'express'

type Options = {
  path: string
  /** The queues that exist at the time of the call. */
  queues: () => Promise<Queue[]>
  readOnly: boolean
  /** False: the queues are on PostgreSQL, and there are no details of Redis to show. */
  hasRedis: boolean
}

/**
 * Bull Board for the queues that exist at the time of each request. It answers 503 while there are none, because queues
 * are created only after their store has answered. Mount it at `path`, behind a login: unless it is `readOnly`, it can
 * pause and empty queues.
 */
export function createDashboard({ path, queues, readOnly, hasRedis }: Options): RequestHandler {
  const serverAdapter = new ExpressAdapter()
  serverAdapter.setBasePath(path)
  const board = createBullBoard({
    queues: [],
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Usher: queues',
        hideDocsLink: true,
        hideRedisDetails: !hasRedis,
        miscLinks: [{ text: 'Console', url: '/console' }],
      },
    },
  })
  const pages: Express = serverAdapter.getRouter()
  pages.disable('x-powered-by')
  removeForeignLinks(pages)

  return async (req, res, next) => {
    const present = await queues()
    if (present.length === 0) {
      res.status(503).type('text').send('The queues are not connected yet. Try again in a moment.')
      return
    }
    board.replaceQueues(present.map((queue) => new BullMQAdapter(queue, { readOnlyMode: readOnly })))
    pages(req, res, next)
  }
}

/** Removes the page's link to a font on another host, which the security policy would refuse with an error. */
function removeForeignLinks(pages: Express): void {
  const render: Render = pages.render.bind(pages)
  const renderLocal: Render = (name, options, done) =>
    render(name, options, (err, html) => done(err, html?.replace(/<link href="https?:[^>]*>/g, '')))
  pages.render = renderLocal as Express['render']
}

type Render = (name: string, options: object, done: (err: Error, html: string) => void) => void
