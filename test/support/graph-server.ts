import type { ServerResponse } from 'node:http'
import {
  type GraphRequest,
  newSentId,
  type StandInGraph,
  startStandInGraph,
} from '../../src/demo/stand-in-graph.ts'

/** A message that the Graph API accepted. `confirmed`: its answer says so to the sender. */
export type AcceptedSend = {
  /** The id of the outbox row, which travels as `biz_opaque_callback_data`. */
  callback: string
  phoneId: string
  to: string
  wamid: string
  confirmed: boolean
}

/** Records that the message of a request is accepted; gives the wamid it gets. */
type Accept = (options: { confirmed: boolean }) => string

/** Answers one request, or leaves it unanswered. */
export type Reply = (res: ServerResponse, request: GraphRequest, accept: Accept) => void

/** Answers with a status, a body (JSON unless it is text already) and headers. */
export const replies =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers })
    res.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

/** Accepts the message and says so. */
export const accepts: Reply = (res, request, accept) => {
  const messages = [{ id: accept({ confirmed: true }) }]
  replies(200, { messaging_product: 'whatsapp', contacts: [], messages })(res, request, accept)
}

/** Accepts the message, but gives an answer that does not say so. */
export const acceptsBut =
  (reply: Reply): Reply =>
  (res, request, accept) => {
    accept({ confirmed: false })
    reply(res, request, accept)
  }

/** Refuses the message with an error code of Meta's. */
export const refuses = (code: number, status = 400) => replies(status, { error: { code, message: 'no' } })

/** Resets the connection instead of an answer. */
export const resets: Reply = (res) => void res.socket?.resetAndDestroy()

/** Gives no answer. */
export const stalls: Reply = () => undefined

export type RecordingGraph = StandInGraph & {
  /** The replies to the next requests, one each, before the reply of `set` applies again. */
  script: Reply[]
  /** Every message accepted so far, whether or not an answer reached the sender. */
  accepted: AcceptedSend[]
  /** Replies so to all requests from now on, and ends those that are not answered yet. */
  set(reply: Reply): void
  /** Calls the listener with each message accepted from now on. */
  onAccepted(listener: (send: AcceptedSend) => void): void
}

/** A stand-in Graph API that records what it accepts; it accepts every message once its script is over. */
export async function startRecordingGraph(...script: Reply[]): Promise<RecordingGraph> {
  const accepted: AcceptedSend[] = []
  const listeners: ((send: AcceptedSend) => void)[] = []
  const unanswered = new Set<ServerResponse>()
  let standing = accepts
  const graph = await startStandInGraph((res, request) => {
    unanswered.add(res.on('close', () => unanswered.delete(res)))
    const accept: Accept = ({ confirmed }) => {
      const send = sendOf(request, confirmed)
      accepted.push(send)
      for (const listener of listeners) listener(send)
      return send.wamid
    }
    const reply = script.shift() ?? standing
    reply(res, request, accept)
  })
  return {
    ...graph,
    ...{ script, accepted },
    set(reply) {
      standing = reply
      for (const res of unanswered) res.destroy()
    },
    onAccepted: (listener) => void listeners.push(listener),
  }
}

function sendOf({ path, body }: GraphRequest, confirmed: boolean): AcceptedSend {
  return {
    callback: String(body.biz_opaque_callback_data),
    phoneId: decodeURIComponent(path.split('/')[2] ?? ''),
    to: String(body.to ?? body.recipient),
    wamid: newSentId(),
    confirmed,
  }
}
