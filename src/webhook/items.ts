import type { Names, Sender } from './sender.ts'

/**
 * What part a message takes in routing. `customer`: somebody wrote. `standby`: somebody wrote while another app
 * has the thread; routed, not answered. `system`: WhatsApp speaks (number changed and the like). `echo`: sent by
 * the company from its Business App. `import`: history handed over at onboarding. `group`: no one-to-one talk.
 */
export type Nature = 'customer' | 'standby' | 'system' | 'echo' | 'import' | 'group'

/** One message; `sender` is the customer, also of what was sent to the customer. */
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
}

/** What became of a message of ours. `recipient`: who got it, when the status names that person in several ways. */
export type StatusUpdate = {
  phoneId: string
  wamid: string
  status: string
  at: Date
  errors: string | undefined
  /** `biz_opaque_callback_data`: of our sends, the outbox row. */
  callback: string | undefined
  recipient: Names | undefined
}

/** A webhook field that is no message. `digest` makes its redelivery recognisable. */
export type AccountEvent = {
  wabaId: string
  phoneId: string | undefined
  field: string
  receivedAt: Date
  digest: Buffer
  payload: string
}

/** The customer asked for no more (or again for) marketing messages from a number. */
export type Preference = { phoneId: string; sender: Sender; value: 'stop' | 'resume'; at: Date }

/** One delivery taken apart; `problems` name the place and the fault of what cannot be read, never its content. */
export type Extraction = {
  deliveryId: number
  messages: InboundMessage[]
  statuses: StatusUpdate[]
  accountEvents: AccountEvent[]
  preferences: Preference[]
  problems: string[]
}
