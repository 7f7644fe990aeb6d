import type { Claims } from './api.ts'
import { JWT_SECRET, mint } from './api.ts'
import { startTestApp, type TestApp } from './app.ts'
import { startGraph } from './graph.ts'
import type { RecordingGraph } from './graph-server.ts'
import { send } from './http.ts'
import { createRoom, provisionOrg, SECRETS_KEY, type TestOrg, type TestRoom } from './org.ts'
import { bytes, delivery, newWamid } from './webhooks.ts'

/** The numbers of an Acme as people read them: two in one WABA, and one in a WABA of another portfolio. */
export const DISPLAY = ['+91 98100 00000', '+91 98100 00001', '+91 98200 00000'] as const
/** The same, as Meta sends them. */
export const OWN = DISPLAY.map((number) => number.replace(/\D/g, ''))

export type Acme = ReturnType<typeof acmeOf>
export type Acmes = { app: TestApp; graph: RecordingGraph; create(settings?: object): Promise<Acme> }

/**
 * Usher with its own Graph API until the end of the test file. Each Acme is an org of its own, with three numbers, three
 * users, a group of them, and an auto-reply.
 */
export async function startAcmes(
  engine: 'postgres' | 'redis',
  env: Record<string, string> = {},
): Promise<Acmes> {
  const graph = await startGraph()
  const all = { GRAPH_API_URL: graph.url, SECRETS_KEY, JWT_SECRET, ...env }
  const app = await startTestApp(engine, all, { until: 'file' })
  return {
    ...{ app, graph },
    async create(settings = {}) {
      const file = acmeFile(settings)
      await provisionOrg(app.db, file)
      return acmeOf(app, file)
    },
  }
}

let counter = 0
const USERS = ['asha', 'bala', 'chen']

/** The provision file of a new Acme. */
function acmeFile(settings: object) {
  const id = `acme-${process.pid}-${counter++}`
  const [one, two, three] = DISPLAY.map((number, i) => ({ id: `${id}-${i}`, display_phone_number: number }))
  const token = { access_token: 'EAA-test' }
  return {
    id,
    settings: { inactivity_days: 30, expiry_days: 180, auto_reply_text: 'This chat is closed.', ...settings },
    wabas: [
      { id: `${id}-india`, name: 'Acme India', ...token, phones: [one, two] },
      { id: `${id}-two`, name: 'Acme Two', ...token, phones: [three] },
    ],
    users: USERS.map((user) => ({ id: user, email: `${user}@acme.example`, name: user })),
    groups: [{ id: 'sales', name: 'Sales', members: USERS }],
  }
}

function acmeOf(app: TestApp, file: ReturnType<typeof acmeFile>) {
  const phones = file.wabas.flatMap((waba) => waba.phones.map((phone) => phone?.id ?? ''))
  const wabaIds = file.wabas.map(({ id }) => id)
  const org: TestOrg = { id: file.id, wabaId: `${file.id}-india`, wabaIds, phones }
  const request = async (method: string, path: string, as: Partial<Claims> = {}, body?: object) => {
    const authorization = `Bearer ${await mint({ org: org.id, user: 'admin', ...as })}`
    const headers = { authorization, ...(body && { 'content-type': 'application/json' }) }
    const reply = await send(`${app.url}${path}`, {
      ...{ method, headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { ...reply, body: reply.body === '' ? undefined : JSON.parse(reply.body) }
  }
  const call = (method: string, path: string, as?: Partial<Claims>, body?: object) =>
    request(method, `/v1/org/${org.id}${path}`, as, body)
  return {
    /** Calls an endpoint; `call` one below `/v1/org/{orgId}`. As an ADMIN, unless `as` says otherwise. */
    ...{ file, org, request, call },
    /** A chatroom of the customer (digits) at the first number, deactivated or expired a minute ago, or active. */
    room: (customer: string, state: 'active' | 'deactivated' | 'expired' = 'active', more: TestRoom = {}) =>
      createRoom(app.db, org, { customer: `+${customer}`, ...stampOf(state), ...more }),
    /** The bytes of a delivery of one change. */
    bodyOf: (field: string, value: object, number = 0) => changeOf(org, field, value, number),
    /** Posts one change to one of the numbers, signed, without waiting. */
    post: (field: string, value: object, number = 0) => app.post(changeOf(org, field, value, number)),
    /** Posts one change, and waits until all deliveries are routed. */
    async deliver(field: string, value: object, number = 0) {
      const status = await app.post(changeOf(org, field, value, number))
      await app.drained()
      return status
    },
    /** What the API shows of a chatroom's messages, the oldest first. */
    async messages(room: { id: string }): Promise<ShownMessage[]> {
      const { body } = await call('GET', `/chatroom/${room.id}/messages`)
      return body.messages.toReversed()
    },
    /** What the API shows of a chatroom. */
    state: async (room: { id: string }) => (await call('GET', `/chatroom/${room.id}`)).body,
    /** Applies the provision file again, with the access tokens, so that numbers that were stopped may send. */
    provisionAgain: () => provisionOrg(app.db, file),
    /** The number of auto-replies queued. */
    async replies(): Promise<number> {
      const text = `select 1 from outbox where org_id = $1 and kind = 'auto_reply'`
      return (await app.db.$client.query(text, [org.id])).rowCount ?? 0
    },
    /** Whether the org has a customer with that phone. */
    knows: async (phone: string) => (await call('GET', `/customer?phone=%2B${phone}`)).status === 200,
  }
}

type ShownMessage = {
  wamid: string
  direction: string
  type: string
  route: string | null
  reason: string
  payload: Record<string, unknown>
}

function stampOf(state: string): TestRoom {
  const at = new Date(Date.now() - 60_000)
  if (state === 'active') return {}
  return state === 'expired' ? { expiredAt: at } : { deactivatedAt: at }
}

function changeOf(org: TestOrg, field: string, value: object, number: number): Buffer {
  const metadata = { display_phone_number: OWN[number], phone_number_id: org.phones[number] }
  const whole = { messaging_product: 'whatsapp', metadata, ...value }
  return bytes(delivery([{ field, value: whole }], number === 2 ? `${org.id}-two` : org.wabaId))
}

/** A text as Meta sends it, sent `age` seconds ago, with other or more keys. */
export function textOf(from: string, { age = 0, ...keys }: { age?: number } & Record<string, unknown> = {}) {
  const timestamp = String(Math.floor(Date.now() / 1000) - age)
  return { from, id: newWamid(), timestamp, type: 'text', text: { body: 'hello' }, ...keys }
}

/** The `contacts[]` of one person. */
export const contactsOf = (waId: string, name = 'Noor') => [{ profile: { name }, wa_id: waId }]
