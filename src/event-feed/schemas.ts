import { z } from 'zod'
import { MESSAGE_STATUSES, ROUTES } from '../db/schema/index.ts'
import { EVENT_TYPES, type EventType } from '../event-log/types.ts'
import { instant } from '../input-fields.ts'

const anything = (description: string) => z.unknown().meta({ type: 'object', nullable: true, description })
const anyList = z.unknown().meta({ type: 'array', items: {}, nullable: true })

const CustomerOfEvent = z
  .strictObject({
    id: z.string(),
    merged_into: z
      .string()
      .nullable()
      .meta({ description: 'The customer who has the names of both since a merge.' }),
    names: z
      .array(z.strictObject({ kind: z.enum(['phone', 'wa_id', 'bsuid', 'parent_bsuid']), value: z.string() }))
      .meta({ description: 'All names of the customer, as of the time of reading.' }),
  })
  .meta({ id: 'CustomerOfEvent' })

const subject = {
  chatroom_id: z.string().nullable(),
  contact: z.strictObject({ id: z.string(), crm_id: z.string() }).nullable(),
  customer: CustomerOfEvent.nullable(),
}

const id = z.string().nullable().meta({ description: 'The id that Usher gave a message that it sends.' })

const message = z.strictObject({
  id,
  wamid: z.string(),
  retry_of: z.string().nullable().meta({
    description: 'The `id` of the message that this one sends again, because a person asked for it.',
  }),
  direction: z.enum(['in', 'out', 'echo']),
  type: z.string().meta({ description: "Meta's type of the message" }),
  sent_at: instant,
  received_at: instant,
  route: z.enum(ROUTES).nullable(),
  reason: z.string().meta({ description: 'Why the message landed here.' }),
  wa_id: z.string().nullable(),
  user_id: z.string().nullable(),
  remote_phone_id: z.string().nullable(),
  ...subject,
  content: anything("The message as Meta's webhook has it, or as it was sent to Meta."),
  content_omitted: z.enum(['not wanted', 'too large']).nullable(),
})

const status = z.strictObject({
  id,
  wamid: z.string(),
  status: z.enum([...MESSAGE_STATUSES, 'unknown']),
  at: instant
    .nullable()
    .meta({ description: "Meta's time; of `unknown`, and of what Usher gave up, Usher's." }),
  errors: anyList,
  ...subject,
})

const change = z.strictObject({
  ...subject,
  actor: z.string(),
  reason: z.string().nullable(),
  wamid: z.string().nullable(),
  before: anything('The state before.'),
  after: anything('The state after.'),
})

const number = z.strictObject({ remote_phone_id: z.string(), reason: z.string().nullable() })
const nullableCustomer = CustomerOfEvent.nullable()

const OTHERS: Partial<Record<EventType, z.ZodObject>> = {
  'message.status': status,
  'customer.identified': z.strictObject({ kind: z.string(), value: z.string(), customer: nullableCustomer }),
  'customer.merged': z.strictObject({ merged_customer_id: z.string(), customer: nullableCustomer }),
  'customer.marketing_paused': z.strictObject({ until: instant, customer: nullableCustomer }),
  'customer.address_changed': z.strictObject({
    wa_id: z.string(),
    former_wa_id: z.string(),
    customer: nullableCustomer,
  }),
  'customer.called': z.strictObject({ remote_phone_id: z.string(), at: instant, customer: nullableCustomer }),
  'number.stopped': number,
  'number.resumed': number,
  'account.event': z.strictObject({
    waba_id: z.string(),
    field: z.string(),
    value: anything("The field's value; null where it has more than 16 kB."),
  }),
}

/** The schema of each type of event. */
export const EVENT_SCHEMAS = EVENT_TYPES.map((type) => {
  const data = OTHERS[type] ?? (type.startsWith('message.') ? message : change)
  return z
    .strictObject({
      id: z.string().meta({ description: 'The same whenever the event is read.' }),
      type: z.literal(type),
      timestamp: instant,
      data,
    })
    .meta({ id: schemaName(type) })
})

/** The types with the names of their schemas. */
export const DESCRIBED_EVENTS = EVENT_TYPES.map((type) => ({ type, schema: schemaName(type) }))

/** The name of a type's schema in the OpenAPI document: `message.received` is `MessageReceivedEvent`. */
function schemaName(type: EventType): string {
  const words = type.split(/[._]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return `${words.join('')}Event`
}

/** An event of any type. */
const EventDto = z
  .discriminatedUnion('type', EVENT_SCHEMAS as [(typeof EVENT_SCHEMAS)[number], ...typeof EVENT_SCHEMAS])
  .meta({ id: 'EventDto' })

/** A page of the event log. */
export const EventListDto = z
  .strictObject({
    events: z.array(EventDto),
    next: z.string().meta({ description: 'The cursor for `after` of the next request.' }),
    has_more: z.boolean().meta({ description: 'true: read on at once; the page may be empty nevertheless' }),
  })
  .meta({ id: 'EventListDto' })
