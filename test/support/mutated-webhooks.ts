import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { change, delivery, message, newWamid } from './webhooks.ts'

type Node = Record<string, unknown>
type Path = string[]

/** A real delivery with a few random changes, and the messages that they must not affect. */
export type MutatedDelivery = { body: Buffer; good: { wamid: string; from: string }[] }

/** The fixtures; FUZZ_FOLDER adds the deliveries in the JSON files of another folder, at the number of the test. */
const FIXTURES = [
  ...deliveriesBelow(new URL('../fixtures/webhooks/', import.meta.url).pathname),
  ...(process.env.FUZZ_FOLDER ? deliveriesBelow(process.env.FUZZ_FOLDER) : []).map((text) =>
    text.replace(/(?<="phone_number_id":")[^"]+(?=")/g, '{{phone}}'),
  ),
]

function deliveriesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json') && !file.endsWith('.expected.json'))
    .flatMap((file) => deliveriesIn(JSON.parse(readFileSync(join(folder, file), 'utf8'))))
}

/** A file may hold other things around a delivery. */
function deliveriesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const { object, entry } = value as Node
  if (object === 'whatsapp_business_account' && Array.isArray(entry)) return [JSON.stringify(value)]
  return Object.values(value).flatMap(deliveriesIn)
}

const ODD_NAMES = [
  '__proto__',
  'constructor',
  '__defineGetter__',
  'toString',
  'length',
  '',
  'a\u0000b',
  'messages',
]
/** Raw JSON: JSON.stringify cannot write most of it. */
const ODD_VALUES = [
  ...['null', 'true', '0', '-1', '1e400', '-0.5', '12345678901234567890', '[]', '{}', '[null]', '""'],
  ...[
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"  "',
    '"US.1"',
    '"+1 555"',
    '"stop"',
    '"system"',
    '"reaction"',
  ],
  ...ODD_NAMES.map((name) => JSON.stringify(name)),
  `"${'x'.repeat(4_000)}"`,
  `"${'\u20ac'.repeat(700)}"`,
  `"${' '.repeat(4_000)}x"`,
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`,
  '{"toString":1,"valueOf":2}',
  '{"__proto__":{"messages":[1]}}',
]

let counter = 0

/**
 * Deliveries of the fixtures with one to three values replaced or removed, or keys added. Good messages stand beside
 * them: one in an entry of its own, and one at the end of each list of messages whose surroundings stay readable.
 */
export function mutatedDeliveries(org: { phone: string; waba: string }): fc.Arbitrary<MutatedDelivery> {
  const mutation = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const, 'repeat' as const),
    key: fc.constantFrom(...ODD_NAMES),
    value: fc.nat(ODD_VALUES.length - 1).map((n) => `@@${n}@@`),
  })
  const mutations = fc.array(mutation, { minLength: 1, maxLength: 3 })
  return fc
    .record({ fixture: fc.constantFrom(...FIXTURES), mutations })
    .map(({ fixture, mutations: some }) => {
      const root = JSON.parse(placed(fixture, org)) as Node
      const paths = pathsIn(root.entry, ['entry']).filter((path) => path.length > 1)
      const good = addGoodMessages(root, org)
      const touched = some.map(({ at, ...change }) => mutate(root, paths[at % paths.length] ?? [], change))
      return {
        body: Buffer.from(withOddValues(JSON.stringify(root))),
        good: good.filter(({ needs }) => !touched.some((path) => needs.some((need) => clash(path, need)))),
      }
    })
}

function placed(fixture: string, org: { phone: string; waba: string }): string {
  const run = newWamid().replace('wamid.', '')
  return fixture
    .replaceAll('{{phone}}', org.phone)
    .replaceAll('{{waba}}', org.waba)
    .replaceAll('{{run}}', run)
    .replaceAll('{{now}}', String(Math.floor(Date.now() / 1000) - 60))
}

function pathsIn(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsIn(item, [...path, key]))]
}

/** A good message needs its own place, the number in `metadata`, and the name of its field. */
function addGoodMessages(root: Node, org: { phone: string; waba: string }) {
  const good: { wamid: string; from: string; needs: Path[] }[] = []
  const create = (needs: Path[]) => {
    const from = `1555${String(counter++).padStart(7, '0')}`
    const item = message({ from })
    good.push({ wamid: item.id, from, needs })
    return item
  }
  const entries = root.entry as { changes?: { field?: unknown; value?: Node }[] }[]
  entries.forEach((entry, i) => {
    entry.changes?.forEach?.((change, j) => {
      const list = change?.value?.messages
      const metadata = change?.value?.metadata as Node | undefined
      // A message at a number that nobody has provisioned waits, so it is no good message here.
      if (change?.field !== 'messages' || !Array.isArray(list) || metadata?.phone_number_id !== org.phone)
        return
      const at = ['entry', String(i), 'changes', String(j)]
      const own = [...at, 'value', 'messages', String(list.length)]
      list.push(create([own, [...at, 'field'], [...at, 'value', 'metadata', 'phone_number_id']]))
    })
  })
  const apart = change(org.phone, { messages: [create([])] })
  entries.push(...(delivery([apart], org.waba).entry as typeof entries))
  return good
}

type Mutation = { how: 'replace' | 'remove' | 'add' | 'repeat'; key: string; value: string }

/** Changes what is at the path, if it is still there, and gives the path of the value that was overwritten. */
function mutate(root: Node, path: Path, { how, key, value }: Mutation): Path {
  const holder = path.slice(0, -1).reduce<unknown>((node, step) => (node as Node | null)?.[step], root)
  const last = path.at(-1) ?? ''
  if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, last)) return ['nothing']
  const item = (holder as Node)[last]
  if (how === 'repeat' && Array.isArray(holder)) holder.push(item)
  else if (how === 'remove' && !Array.isArray(holder)) delete (holder as Node)[last]
  else if (how === 'add' && typeof item === 'object' && item !== null && !Array.isArray(item)) {
    // An assignment to `__proto__` would add no key.
    Object.defineProperty(item, key, { value, enumerable: true, configurable: true, writable: true })
    return [...path, key]
  } else (holder as Node)[last] = value
  return path
}

/** True when a value that was overwritten contains what is needed, or lies in it. */
function clash(path: Path, need: Path): boolean {
  const length = Math.min(path.length, need.length)
  return path.slice(0, length).join('\n') === need.slice(0, length).join('\n')
}

function withOddValues(text: string): string {
  return text.replace(/"@@(\d+)@@"/g, (_, n) => ODD_VALUES[Number(n)] ?? 'null')
}
