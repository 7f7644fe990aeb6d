import { describe, expect, it } from 'vitest'
import { migrateCommand } from '../../src/cli/migrate.ts'
import { engines } from '../support/app.ts'
import { createTestDatabase } from '../support/database.ts'
import {
  createFormerDatabase,
  FORMER_CUSTOMERS,
  FORMER_PHONE,
  formerCustomer,
  migrateToFormer,
} from '../support/former-schema.ts'
import { createOrg } from '../support/org.ts'
import { postDelivery } from '../support/post.ts'
import { startUsher } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { runCommand } from '../support/run-command.ts'
import type { UsherProcess } from '../support/usher-process.ts'
import { message, post } from '../support/webhooks.ts'

const EVERY_MS = 10

/** Posts messages of the customers until it is stopped; gives the chatroom that each acknowledged one belongs to. */
function startTraffic({ url }: UsherProcess): () => Promise<Map<string, string>> {
  const rooms = new Map<string, string>()
  const posts: Promise<void>[] = []
  const postOne = async (n: number) => {
    const { phone, room } = formerCustomer(n)
    const m = message({ from: phone })
    if ((await postDelivery(url, post(FORMER_PHONE, m))) === 200) rooms.set(m.id, room)
  }
  const timer = setInterval(() => posts.push(postOne(posts.length % FORMER_CUSTOMERS)), EVERY_MS)
  return async () => {
    clearInterval(timer)
    await Promise.all(posts)
    return rooms
  }
}

const ready = async ({ opsUrl }: UsherProcess) => (await fetch(`${opsUrl}/ready`)).status

describe.each(engines())('with the queue on %s', (engine) => {
  it('a database is migrated while a server takes webhooks: each is routed once, to its chatroom', async () => {
    const { pool, url: DATABASE_URL } = await createFormerDatabase(migrateToFormer)
    const redis = engine === 'redis' ? await startRedis() : undefined
    const env = { DATABASE_URL, ...(redis && { REDIS_URL: redis.url }) }
    const server = await startUsher('server', env)
    const stopTraffic = startTraffic(server)
    await expect.poll(async () => (await pool.query('select from inbox')).rowCount).toBeGreaterThan(10)
    expect(await ready(server), 'the schema is not that of its version').toBe(503)
    expect(await runCommand(migrateCommand(), [], env)).toMatchObject({ code: 0 })
    await expect.poll(() => ready(server)).toBe(200)
    await startUsher('workers', env)
    const routed = async () => {
      const { rows } = await pool.query<{ wamid: string; chatroom_id: string }>(
        `select wamid, chatroom_id from messages where direction = 'in'`,
      )
      return new Map(rows.map((row) => [row.wamid, row.chatroom_id]))
    }
    await expect.poll(async () => (await routed()).size).toBeGreaterThan(10)
    const rooms = await stopTraffic()
    await expect.poll(async () => (await routed()).size).toBe(rooms.size)
    expect(await routed()).toEqual(rooms)
    await redis?.stop()
  })
})

it('a version that is started again on a later schema is ready, migrates nothing, takes webhooks and routes them', async () => {
  const { pool, db, url: DATABASE_URL } = await createTestDatabase()
  const org = await createOrg(db)
  // What a later version may have done: it adds, and takes nothing away.
  await pool.query(`
    alter table inbox add column later text;
    alter table messages add column later integer not null default 0, add column last text;
    create table later_things (id text primary key);
    create index later_index on messages (org_id, later);
    insert into drizzle.__drizzle_migrations (hash, created_at) select 'later', max(created_at) + 1
      from drizzle.__drizzle_migrations`)
  expect(await runCommand(migrateCommand(), [], { DATABASE_URL })).toMatchObject({ code: 0 })
  const usher = await startUsher('all', { DATABASE_URL })
  const m = message({})
  expect(await postDelivery(usher.url, post(org.phones[0]!, m))).toBe(200)
  const count = async () => (await pool.query('select from messages where wamid = $1', [m.id])).rowCount
  await expect.poll(count).toBe(1)
  await expect.poll(() => ready(usher)).toBe(200)
})
