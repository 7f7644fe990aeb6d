import type { GraphRequest } from '../../../src/demo/stand-in-graph.ts'
import type { Graph } from '../../../src/outbound/graph.ts'
import { type Reply, refuses, replies, resets } from '../graph-server.ts'
import { deliver } from '../inbox.ts'
import { bytes, change, delivery } from '../webhooks.ts'
import type { Fate, Status } from './program.ts'
import type { Life, World } from './world.ts'

type Accepted = { id: string; phoneId: string; wamid: string }

/** The Graph API as a worker reaches it: gives each request its fate. */
export function graphOf(world: World, life: Life): Graph {
  return {
    async send(remotePhoneId, token, message) {
      const id = String(message.biz_opaque_callback_data)
      const fate = world.fates.shift() ?? 'accepts'
      world.fateOf.set(id, fate)
      if (fate === 'the worker dies before the request leaves') {
        life.die()
        return new Promise(() => {})
      }
      const client = fate === 'cannot be reached' ? world.clients.unreachable : world.clients.real
      return client.send(remotePhoneId, token, message)
    },
  }
}

/** The reply of the stand-in to a request, by its fate. */
export function replyOf(world: World): Reply {
  return (res, request, accept) => {
    const { id, phoneId } = { id: String(request.body.biz_opaque_callback_data), phoneId: phoneIdOf(request) }
    world.arrived.add(id)
    const fate = fateNow(world, id)
    const wamid = fate.startsWith('accepts') ? accept({ confirmed: false }) : ''
    const answer = () => ANSWERS[fate](wamid)(res, request, accept)
    const hold = () => {
      world.held.push({ id, answer })
      world.resting.get(id)?.()
    }
    if (fate.includes(' late')) return hold()
    if (fate === 'accepts and the worker dies') world.started.get(id)?.life.die()
    const one = { id, phoneId, wamid }
    if (fate === 'accepts after its statuses') return after(world, answer, statuses(world, one, false))
    if (fate.includes('after its status')) return after(world, answer, postStatus(world, one, 'sent', true))
    if (fate.includes('before its status'))
      world.afterwards.set(id, () => postStatus(world, one, 'sent', true))
    answer()
  }
}

/** Whose worker has died does not wait for the status any more, which would come during any later step. */
function fateNow(world: World, id: string): Fate {
  const fate = world.fateOf.get(id) ?? 'accepts'
  return fate.includes('before its status') && world.started.get(id)?.life.isDead ? 'down' : fate
}

const confirms = (wamid: string) => replies(200, { messages: [{ id: wamid }] })
/** Its back-off is longer than a busy machine needs to report the status. */
const overloaded = replies(500, { error: { code: 131000 } }, { 'retry-after': '60' })
const ANSWERS: Record<Fate, (wamid: string) => Reply> = {
  accepts: confirms,
  'accepts late': confirms,
  'accepts and the answer is lost': () => resets,
  'accepts and answers 502': () => replies(502, '<html>'),
  'accepts after its statuses': confirms,
  'accepts but answers 131000 after its status': () => refuses(131000, 500),
  'accepts but answers 131000 before its status': () => overloaded,
  'accepts and the worker dies': confirms,
  'the worker dies before the request leaves': () => resets,
  'busy pair': () => refuses(131056),
  'busy number': () => replies(429, { error: { code: 130429 } }, { 'retry-after': '7' }),
  'busy late': () => refuses(131056),
  down: () => refuses(131016, 500),
  refuses: () => refuses(131053),
  'refuses late': () => refuses(131053),
  'refuses the token': () => refuses(190, 401),
  'cannot be reached': () => resets,
  'resets the connection': () => resets,
}

function after(world: World, answer: () => void, work: Promise<unknown>): void {
  work.then(answer, (error) => {
    world.failures.push(error)
    answer()
  })
}

async function statuses(world: World, one: Accepted, named: boolean): Promise<void> {
  await postStatus(world, one, 'delivered', named)
  await postStatus(world, one, 'sent', named)
}

/** Reports a status of an accepted message, `times` times. */
export async function postStatus(
  world: World,
  { id, phoneId, wamid }: Accepted,
  status: Status,
  named: boolean,
  times = 1,
): Promise<void> {
  const item = {
    ...{ id: wamid, status, timestamp: String(Math.floor(Date.now() / 1000)) },
    ...(named && { biz_opaque_callback_data: id }),
    ...(status === 'failed' && { errors: [{ code: 131026, title: 'Message undeliverable' }] }),
  }
  const body = bytes(delivery([change(phoneId, { statuses: [item] })], world.org.wabaId))
  for (let i = 0; i < times; i += 1) await deliver(world.db, body)
  world.posted.push({ id, wamid, status, named })
}

const phoneIdOf = ({ path }: GraphRequest) => decodeURIComponent(path.split('/')[2] ?? '')
