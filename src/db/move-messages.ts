import type pg from 'pg'

/** Blocks of the old table that are moved in one transaction: a few thousand messages, and less than a second. */
const STEP = 500
/** So many steps are some seconds. */
const STEPS_OF_A_REPORT = 20
const MAX_TRIES = 300

/**
 * Moves the messages of a version whose ledger had no partitions into the partitions of their months, and drops the old
 * table. Each step is a transaction that takes the rows of some blocks from the old table and inserts them, so a message is
 * in exactly one of the two at any time, and a move that was killed goes on with what is left. Processes do not start
 * meanwhile (`countPendingMigrations`), and processes of the version before cannot write messages.
 */
export async function moveMessages(client: pg.Client, report: (line: string) => void): Promise<void> {
  if (!(await isUnfinished(client))) return
  await makePartitions(client)
  const blocks = await countBlocks(client)
  let moved = 0
  for (let block = 0; block < blocks; block += STEP) {
    moved += await moveBlocks(client, block)
    if ((block / STEP) % STEPS_OF_A_REPORT !== STEPS_OF_A_REPORT - 1) continue
    const share = Math.min(99, Math.floor(((block + STEP) / blocks) * 100))
    report(
      `Messages moved into partitions: ${moved}, ${share} % of the old table. It may be stopped and run again.`,
    )
  }
  await endMove(client)
  report(`Messages moved into partitions: ${moved}. The old table is gone.`)
}

async function isUnfinished(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(`select to_regclass('messages_unmoved') is not null as unfinished`)
  return rows[0].unfinished
}

/** One for each month of the last ten years that has messages. Messages of other times go to the default partition. */
async function makePartitions(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ month: string }>(`
    select distinct date_trunc('month', sent_at at time zone 'UTC')::date::text as month from messages_unmoved
    where sent_at > now() - interval '120 months' and sent_at < now() + interval '2 months'`)
  for (const { month } of rows) await makeMonth(client, month)
}

/** Each try waits for locks for 100 ms at most. */
async function makeMonth(client: pg.Client, month: string): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { rows } = await client.query('select make_month_of_messages($1, null) as made', [month])
    if (rows[0].made) return
  }
  throw new Error('chatrooms are locked by another transaction: run npm run migrate again')
}

async function countBlocks(client: pg.Client): Promise<number> {
  const { rows } = await client.query(`
    select ceil(pg_relation_size('messages_unmoved') / current_setting('block_size')::numeric)::int as blocks`)
  return rows[0].blocks
}

async function moveBlocks(client: pg.Client, first: number): Promise<number> {
  await client.query(`begin; set local usher.moves_messages = 'on'`)
  const { rowCount } = await client.query(`
    with taken as (
      delete from messages_unmoved where ctid >= '(${first},0)' and ctid < '(${first + STEP},0)' returning *)
    insert into messages select * from taken`)
  await client.query('commit')
  return rowCount ?? 0
}

/** @throws Error if a message is left, which means that something else has written to the old table */
async function endMove(client: pg.Client): Promise<void> {
  await client.query('begin; lock table messages_unmoved')
  const { rowCount: left } = await client.query('select from messages_unmoved limit 1')
  if (left !== 0) throw new Error('messages_unmoved still has messages: run npm run migrate again')
  await client.query(`drop table messages_unmoved; drop function ledger_is_being_moved cascade; commit`)
}

/**
 * Makes all partitions of the ledger that are missing, however many messages have to move out of the default partition for
 * it; the maintenance worker (`src/messages/keep-months.ts`) moves a few only.
 */
export async function makeMonths(client: pg.Client): Promise<void> {
  for (let made = true; made; ) {
    const { rows } = await client.query('select make_message_partition(now(), null) as made')
    made = rows[0].made
  }
}
