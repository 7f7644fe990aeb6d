import type { Names } from './names.ts'
import type { Sender } from './sender.ts'

/**
 * The part that a message takes in routing. `customer`: a customer wrote. `standby`: a customer wrote while another app
 * controls the thread; the message is routed but not answered. `system`: a notice of WhatsApp (number changed and the
 * like). `echo`: the company sent it from its Business App. `import`: history from the onboarding. `group`: a message in
 * a group. `own`: a number of the org itself wrote, or was written to.
 */
export type Nature = 'customer' | 'standby' | 'system' | 'echo' | 'import' | 'group' | 'own'

/**
 * One message; `sender` is the customer, also where the company sent the message to the customer. `phoneId` is Meta's
 * `phone_number_id`, here and in the other items.
 */
export type InboundMessage = {
  phoneId: string
  wamid: string
  type: string
  nature: Nature
  direction: 'in' | 'echo'
  sentAt: Date
  receivedAt: Date
  seq: number
  sender: Sender
  payload: string
  contact: string | undefined
  /** The wamid of the message that a reaction, an edit or a revoke names. */
  target: string | undefined
}

/** The status of a message that Usher sent. `recipient`: its names, where the status gives more than one. */
export type StatusUpdate = {
  phoneId: string
  wamid: string
  status: string
  at: Date
  errors: string | undefined
  /** The codes of `errors`. */
  codes: number[]
  /** `biz_opaque_callback_data`; Usher sends the id of the outbox row in it. */
  callback: string | undefined
  recipient: Names | undefined
}

/** A webhook field without messages. `digest` identifies its redelivery. */
export type AccountEvent = {
  wabaId: string
  phoneId: string | undefined
  field: string
  receivedAt: Date
  digest: Buffer
  payload: string
}

/** The customer stopped or resumed the marketing messages of a number. */
export type Preference = { phoneId: string; sender: Sender; value: 'stop' | 'resume'; at: Date }

/** The customer called a number, whether or not the call was answered. */
export type IncomingCall = { phoneId: string; sender: Sender; at: Date }

/** The items of one delivery; `problems` name place and fault of each unreadable item, never its content. */
export type Extraction = {
  deliveryId: number
  messages: InboundMessage[]
  statuses: StatusUpdate[]
  accountEvents: AccountEvent[]
  preferences: Preference[]
  calls: IncomingCall[]
  problems: string[]
}
