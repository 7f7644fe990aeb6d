import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import type { Queue } from 'bullmq'
import type { Express, RequestHandler } from 'express'

const UI = {
  boardTitle: 'Usher',
  hideDocsLink: true,
  miscLinks: [{ text: 'Console', url: '/console' }],
}

/**
 * Bull Board for whichever queues there are at the moment; 503 while there are none, since queues are built only
 * once their store has answered. It must be mounted at `path`, behind a login: it can pause and empty queues,
 * unless it is `readOnly`.
 */
export function createDashboard(path: string, queues: () => Queue[], readOnly: boolean): RequestHandler {
  const serverAdapter = new ExpressAdapter()
  serverAdapter.setBasePath(path)
  const board = createBullBoard({
    queues: [],
    serverAdapter,
    options: { uiConfig: UI },
  })
  const pages: Express = serverAdapter.getRouter()
  pages.disable('x-powered-by')
  keepToThisHost(pages)

  return (req, res, next) => {
    const present = queues()
    if (present.length === 0) {
      res.status(503).type('text').send('The queues are not connected yet: try again in a moment.')
      return
    }
    board.replaceQueues(present.map((queue) => new BullMQAdapter(queue, { readOnlyMode: readOnly })))
    pages(req, res, next)
  }
}

/** The page wants a font from a host of others, which its security policy refuses: it must not ask. */
function keepToThisHost(pages: Express): void {
  const render: Render = pages.render.bind(pages)
  const renderOurs: Render = (name, options, done) =>
    render(name, options, (err, html) => done(err, html?.replace(/<link href="https?:[^>]*>/g, '')))
  pages.render = renderOurs as Express['render']
}

type Render = (name: string, options: object, done: (err: Error, html: string) => void) => void
