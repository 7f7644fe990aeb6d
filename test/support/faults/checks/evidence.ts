import type { Database } from '../../../../src/db/client.ts'
import type { AcceptedSend } from '../../graph-server.ts'

/** One message that was posted to a receiver with a valid signature, and what the receiver answered. */
export type PostedMessage = {
  wamid: string
  number: { orgId: string; phoneId: string }
  /** `key`: who it is, where the message shows another name of the person than other messages do; default: `waId`. */
  person: { waId: string; userId: string | undefined; key?: string }
  /** The sender's phone is left out: the business-scoped user id alone says who wrote. */
  hidden: boolean
  /** Meta's type of the real content. */
  type: string
  /** Undefined for anything but a text. */
  text: string | undefined
  at: Date
  /** A delivery with the real content was answered with 200. */
  acked: boolean
  /** When that happened for the first time, in ms of the epoch. */
  ackedAt?: number
  /** A delivery with the `unsupported` ghost of the message was answered with 200. */
  ghostAcked: boolean
  /** Who sent it; default: the customer. */
  direction?: 'in' | 'echo'
  /** It is kept, but takes no part in routing. */
  aside?: boolean
  /** It comes from a number of the org itself, so it has no customer. */
  nobody?: boolean
  /** The message before it in the same delivery, to which it is a reaction, an edit or a revoke. */
  target?: string
}

/** What an installation did, as seen from outside, and the database that must agree with it. */
export type Evidence = {
  db: Database['db']
  databaseUrl: string
  /** By wamid. */
  posted: ReadonlyMap<string, PostedMessage>
  /** Undefined when the installation has no stand-in Graph API. */
  accepted: readonly AcceptedSend[] | undefined
  /** When a worker was ended from outside, in ms of the epoch; its sends under way are `unknown`. None when left out. */
  workerEnds?: readonly number[]
  /** Messages that must end as dead letters, by wamid. */
  deadLetters?: ReadonlySet<string>
}
