import type { RequestListener } from 'node:http'
import { type RequestHandler, Router } from 'express'

/** Where Usher mounts its own receiver. */
export const WEBHOOK_PATH = '/webhooks/whatsapp'

const WEBHOOK = new RegExp(`^${WEBHOOK_PATH}/?(\\?|$)`)

/**
 * The receiver (`src/receiver/receive.ts`) as an Express router, which answers at the path where it is mounted and
 * nowhere below it:
 *
 *     app.use('/webhooks/whatsapp', createWebhookRouter(createReceiver(parts)))
 *
 * It must come before anything that reads request bodies, because the signature is over the bytes as they were sent. A
 * request whose body was read before is passed on as an error, so that it is not stored and Meta sends it again.
 */
export function createWebhookRouter(receiver: RequestListener): Router {
  return Router().all('/', refuseReadBodies, (req, res) => receiver(req, res))
}

const refuseReadBodies: RequestHandler = (req, _res, next) => {
  if (req.readableDidRead)
    next(new Error('the webhook router must be mounted before anything that reads request bodies'))
  else next()
}

/**
 * The short cut in front of Express: requests whose target is literally the path of our webhook go straight to the
 * receiver, all other ones to the app, whose router knows further spellings of it, such as absolute-form targets. It
 * changes neither status nor body of an answer; what it saves is in docs/speed.md#the-short-cut-in-front-of-express.
 */
export function createShortcut(receiver: RequestListener, app: RequestListener): RequestListener {
  return (req, res) => (WEBHOOK.test(req.url ?? '') ? receiver(req, res) : app(req, res))
}
