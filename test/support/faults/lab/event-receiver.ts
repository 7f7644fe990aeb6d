import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { lastingPort } from './ports.ts'

/** Answers a request, or leaves it unanswered. `take` notes that the event is stored. */
export type EventReply = (res: ServerResponse, take: () => void) => void

export const takesEvent: EventReply = (res, take) => {
  take()
  res.writeHead(204).end()
}

/** A receiver of a webhook endpoint, as a CRM has one, which can fail in many ways. */
export type EventReceiver = {
  url: string
  /** The secret that requests must be signed with. */
  secret: string
  /** The ids of the events that it took, in order; those that came again too. */
  taken: string[]
  /** Requests so far, however they were answered. */
  requests(): number
  /** Why requests were refused: their signature, or their `webhook-id`. */
  refused: string[]
  /** Replies so from now on, and cuts the connections of requests that are not answered yet. */
  set(reply: EventReply): void
  /** Stops listening and cuts all connections, as a process that is killed. */
  kill(): Promise<void>
  /** Listens again on the same port, if it does not listen. */
  start(): Promise<void>
}

/** Starts a receiver that takes every event until `set`. */
export async function startEventReceiver(): Promise<EventReceiver> {
  const port = await lastingPort()
  const receiver = { url: `http://127.0.0.1:${port}/`, secret: '', taken: [], refused: [] }
  const { server, ...answering } = createAnswering(receiver)
  const start = async () => {
    if (server.listening) return
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await start()
  return Object.assign(receiver, answering, {
    start,
    async kill() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  })
}

function createAnswering(receiver: Pick<EventReceiver, 'secret' | 'taken' | 'refused'>) {
  const unanswered = new Set<ServerResponse>()
  let reply = takesEvent
  let requests = 0
  const server = createServer(async (req, res) => {
    res.on('error', () => {})
    unanswered.add(res.on('close', () => unanswered.delete(res)))
    const body = await text(req).catch(() => undefined)
    if (body === undefined) return
    requests += 1
    try {
      const headers = req.headers as Record<string, string>
      const { id } = new Webhook(receiver.secret).verify(body, headers) as { id: string }
      if (id !== headers['webhook-id']) throw new Error('webhook-id is not the id of the event')
      reply(res, () => void receiver.taken.push(id))
    } catch (error) {
      receiver.refused.push(String(error))
      res.writeHead(401).end()
    }
  })
  return {
    server,
    requests: () => requests,
    set(wanted: EventReply) {
      reply = wanted
      for (const res of unanswered) res.destroy()
    },
  }
}
