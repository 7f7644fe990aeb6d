import type { SampleOrg } from './sample-org.ts'

/** One POST of the demo, and how each of its messages must be routed. */
export type Scene = {
  title: string
  body: Buffer
  /** Signed with a wrong secret: the receiver must refuse it. */
  forged?: true
  messages: { wamid: string; route: string; room: string | undefined }[]
}

type TextMessage = { from: string; id: string; timestamp: string; type: 'text'; text: { body: string } }

/** How the wamids of a run's scenes begin. */
export const wamidPrefix = (run: string) => `wamid.${run}.scene.`

/**
 * The scenes of the demo: each row of the routing table, a redelivery, a batch of several customers, and a forgery.
 * @param run makes the wamids of this run unique
 */
export function createScenes(org: SampleOrg, run: string, now: Date): Scene[] {
  const text = (n: number, phone: string, body: string): TextMessage => ({
    from: phone.slice(1),
    id: `${wamidPrefix(run)}${n}`,
    timestamp: String(Math.floor(now.getTime() / 1000)),
    type: 'text',
    text: { body },
  })
  const scene = (title: string, ...expected: [TextMessage, string, string?][]) =>
    createScene(org, title, expected)
  const { active, activeAndDeactivated, deactivated, expired, unknown } = org.customers
  const first = text(1, active, 'Is my order on its way?')
  return [
    scene('a customer with an active chatroom', [first, 'active', 'Ana (lead 1)']),
    scene('one active, one deactivated', [text(2, activeAndDeactivated, 'Hello?'), 'active', 'Ben (lead 2)']),
    scene('two deactivated', [text(3, deactivated, 'I am back'), 'reactivated', 'Cleo (lead 5)']),
    scene('two expired', [text(4, expired, 'Anybody there?'), 'expired', 'Dan (lead 7)']),
    scene('an unknown sender', [text(5, unknown, 'Hi, I saw your ad'), 'held']),
    scene('the first message again (Meta redelivers)', [first, 'active', 'Ana (lead 1)']),
    scene(
      'three customers in one POST',
      [text(6, activeAndDeactivated, 'One more thing'), 'active', 'Ben (lead 2)'],
      [text(7, deactivated, 'And me'), 'active', 'Cleo (lead 5)'],
      [text(8, unknown, 'Still here'), 'held'],
    ),
    {
      title: 'a forged signature',
      body: createPost(org, [text(9, active, 'Pay me')]),
      forged: true,
      messages: [],
    },
  ]
}

function createScene(org: SampleOrg, title: string, expected: [TextMessage, string, string?][]): Scene {
  return {
    title,
    body: createPost(
      org,
      expected.map(([message]) => message),
    ),
    messages: expected.map(([{ id }, route, room]) => ({ wamid: id, route, room })),
  }
}

/** The body of a POST, as Meta would send it, with these messages to the org's number. */
export function createPost(org: SampleOrg, messages: { from: string }[]): Buffer {
  const contacts = messages.map((m) => ({ profile: { name: `+${m.from}` }, wa_id: m.from }))
  const metadata = { display_phone_number: '15550783881', phone_number_id: org.phoneId }
  const value = { messaging_product: 'whatsapp', metadata, contacts, messages }
  const entry = [{ id: org.wabaId, changes: [{ field: 'messages', value }] }]
  return Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry }))
}
