import { run } from '../../../src/db/statement.ts'
import { inTransaction } from '../../../src/db/transaction.ts'
import { ApiError } from '../../../src/errors.ts'
import { claimSends } from '../../../src/outbound/claim-sends.ts'
import { endStrandedSends } from '../../../src/outbound/end-stranded-sends.ts'
import { queueMessages } from '../../../src/outbound/queue-messages.ts'
import type { Send } from '../../../src/outbound/read-send.ts'
import { retrySend } from '../../../src/outbound/retry-send.ts'
import { sendMessage } from '../../../src/outbound/send.ts'
import { sendToChatroom } from '../../../src/outbound/send-to-chatroom.ts'
import type { Program, Step } from './program.ts'
import { graphOf, postStatus, replyOf } from './stand-in.ts'
import { createWorld, dbOf, type Lane, type Life, newLife, type World } from './world.ts'

/** Plays a program, then lets everything come to its end. */
export async function playProgram(lane: Lane, { fates, steps }: Program): Promise<World> {
  const world = await createWorld(lane, fates)
  world.graph.accepted.length = 0
  world.graph.set(replyOf(world))
  for (const step of steps) await play(world, step)
  await comeToRest(world)
  return world
}

async function play(world: World, step: Step): Promise<void> {
  switch (step.do) {
    case 'send':
      for (let i = 0; i < step.times; i += 1) await ask(world, step.pair, step.kind)
      return
    case 'look':
      return look(world, step.worker, step.slots)
    case 'answer':
      return answer(world, step.which)
    case 'status': {
      const one = world.graph.accepted[step.which % world.graph.accepted.length]
      if (!one) return
      return postStatus(world, { ...one, id: one.callback }, step.status, step.named, step.times)
    }
    case 'retry':
      return retry(world, step.which, step.confirm)
    case 'kill':
      return kill(world, step.worker)
    case 'wait':
      return pass(world, step.seconds)
    case 'sweep':
      return void (await endStrandedSends(world.db))
    case 'provision':
      return provision(world)
    case 'together':
      return void (await Promise.all(step.steps.map((one) => play(world, one))))
  }
}

async function ask(world: World, pair: number, kind: 'message' | 'auto_reply'): Promise<void> {
  const began = world.ticks++
  const name = `${world.org.id} ${began}`
  const id = kind === 'message' ? await askForText(world, pair, name) : await askForReply(world, pair, name)
  world.asked.push({ id, pair, kind, began, ended: world.ticks++ })
}

async function askForText({ db, org, rooms }: World, pair: number, body: string): Promise<string> {
  const { row } = await sendToChatroom(db, {
    org: { id: org.id, inactivityDays: null, expiryDays: null },
    chatroomId: rooms[pair]!.id,
    message: { origin: 'AGENT', text: { body } },
    ...{ sender: undefined, actor: 'user:ann', now: new Date() },
  })
  return row.id
}

async function askForReply({ db, org, rooms }: World, pair: number, body: string): Promise<string> {
  const { id: roomId, customerId, wabaPhoneId: phoneId } = rooms[pair]!
  const place = { orgId: org.id, roomId, customerId, phoneId }
  const payload = { type: 'text', text: { body } }
  const about = { kind: 'auto_reply' as const, origin: null, inReplyTo: body, reason: 'test', payload }
  const [row] = await run(db, queueMessages([{ ...place, ...about }]))
  return row!.id
}

const REFUSALS = ['MESSAGE_DID_NOT_FAIL', 'OUTCOME_IS_UNKNOWN']

/** A person sends a message again, which is refused unless it failed, or is unknown and the person confirms it. */
async function retry(world: World, which: number, confirm: boolean): Promise<void> {
  const { db, org, rooms, asked } = world
  const old = asked[which % Math.max(1, asked.length)]
  if (!old) return
  const { id: chatroomId } = rooms[old.pair]!
  const who = { sender: undefined, mayCampaign: true, actor: 'user:ann' }
  const lifecycle = { id: org.id, inactivityDays: null, expiryDays: null }
  const began = world.ticks++
  try {
    const request = { org: lifecycle, chatroomId, message: old.id, confirm, ...who, now: new Date() }
    const { row } = await retrySend(db, request)
    const again = { pair: old.pair, kind: old.kind, began, ended: world.ticks++ }
    if (row) asked.push({ ...again, id: row.id, retryOf: { id: old.id, confirm } })
  } catch (error) {
    if (!(error instanceof ApiError && REFUSALS.includes(error.error))) throw error
  }
}

/** A worker claims what it may, and starts to send it; resolves when each send has ended or waits for an answer. */
async function look(world: World, worker: number, slots: number): Promise<void> {
  const life = world.lives[worker]!
  const free = slots - life.underWay.size
  if (free <= 0) return
  const turns = { slots: free, slotsOfOrg: slots, underWay: [...life.underWay.values()], unusable: [] }
  const { sends } = await run(world.db, claimSends(turns))
  await Promise.all(sends.map((send) => start(world, life, send)))
}

async function start(world: World, life: Life, send: Send): Promise<void> {
  if (life.isDead) return void world.orphaned.add(send.id)
  life.underWay.set(send.id, send)
  void life.died.then(() => life.underWay.has(send.id) && world.orphaned.add(send.id))
  const rests = new Promise<void>((resolve) => world.resting.set(send.id, resolve))
  const tokens = { tokenOf: () => 'EAA' }
  const parts = { db: dbOf(life, world.db), graph: graphOf(world, life), tokens }
  const ended = sendMessage(parts, send)
    .then(() => life.underWay.delete(send.id))
    .then(() => report(world, send.id))
    .catch((error) => world.failures.push(error))
  world.started.set(send.id, { life, ended })
  await Promise.race([ended, rests, life.died.then(() => report(world, send.id))])
}

/** Meta reports the status of a message also when the worker that sent it has died. */
async function report(world: World, id: string): Promise<void> {
  const post = world.afterwards.get(id)
  world.afterwards.delete(id)
  await post?.()
}

async function answer(world: World, which: number): Promise<void> {
  const [one] = world.held.splice(which % Math.max(1, world.held.length), 1)
  if (!one) return
  one.answer()
  const { life, ended } = world.started.get(one.id)!
  await Promise.race([ended, life.died.then(() => report(world, one.id))])
}

function kill(world: World, worker: number): void {
  world.lives[worker]!.die()
  world.lives[worker] = newLife()
}

/**
 * Time passes for the outbox: its times move into the past, which no trigger notices. Pairs are locked before rows, and in
 * the order of `lockPairs`, since sends may be under way.
 */
async function pass({ db, org }: World, seconds: number): Promise<void> {
  await inTransaction(db, async (tx) => {
    const shift = async (text: string) => void (await tx.$client.query(text, [org.id, seconds]))
    await tx.$client.query(`set local session_replication_role = replica`)
    await tx.$client.query(
      `select from outbox_pairs where org_id = $1 order by org_id, customer_id, waba_phone_id for update`,
      [org.id],
    )
    await shift(`update outbox_pairs set due_at = due_at - make_interval(secs => $2) where org_id = $1`)
    await shift(`update outbox set due_at = due_at - make_interval(secs => $2),
      claimed_at = claimed_at - make_interval(secs => $2) where org_id = $1`)
  })
}

async function provision({ db, org }: World): Promise<void> {
  await db.$client.query(
    'update waba_phones set stopped_at = null, stopped_reason = null where org_id = $1',
    [org.id],
  )
}

const ROUNDS = 60

/** The Graph API accepts everything from now on, and time passes until nothing waits. */
async function comeToRest(world: World): Promise<void> {
  world.fates.length = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    while (world.held.length > 0) await answer(world, 0)
    await endStrandedSends(world.db)
    if (!(await isSomethingLeft(world))) return
    await provision(world)
    await look(world, 0, 32)
    if (!(await isSomethingLeft(world))) continue
    await pass(world, 700)
  }
}

async function isSomethingLeft({ db, org }: World): Promise<boolean> {
  const text = `select 1 from outbox where org_id = $1 and state in ('queued', 'sending') limit 1`
  return ((await db.$client.query(text, [org.id])).rowCount ?? 0) > 0
}
