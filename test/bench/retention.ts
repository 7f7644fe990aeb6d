import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openDatabase } from '../../src/db/client.ts'
import type { Lifetime } from '../../src/lifetime.ts'
import { applyRetention, type Retained } from '../../src/retention/apply-retention.ts'
import { dropOldMonths } from '../../src/retention/drop-months.ts'
import { type Bench, measureLoad } from './measure.ts'
import { orgOf } from './people.ts'
import { runBench, say, setUp } from './setup.ts'
import { type Running, startApart } from './variants.ts'

const HELP = `npm run bench -- retention [--rooms 50000] [--messages 200000] [--rate 50] [--seconds 10] [--rounds 3]
  [--ledger 0]
How long a delivery takes to be routed at a rate, without and with the retention beside it, in turns. Half of the old messages
are deleted in batches, because one org keeps their months; the months of the others are dropped.
With --ledger 20000000, the ledger has so many messages of four months, two of which are dropped at once.`

/** One org keeps its messages for a year, all others for so many days. */
const DAYS = 40
const YEAR = 365
const KEPT_BY_ONE = [70, 100, 130, 160]
const KEPT_BY_NOBODY = [430, 460]
/** The retention begins so long after the load. */
const BEGIN_MS = 1_000

type Settings = {
  rooms: number
  messages: number
  rate: number
  seconds: number
  rounds: number
  ledger: number
}
type Lab = { bench: Bench; running: Running; databaseUrl: string; settings: Settings }

const print = (line: string) => void process.stdout.write(`${line}\n`)

/** `npm run bench -- retention`; see HELP. */
async function retention(lifetime: Lifetime): Promise<void> {
  const settings = readSettings()
  const { enter } = await setUp(lifetime)
  const { bench, world } = await enter(settings.rooms, 1, settings.ledger)
  const lab = { bench, running: await startApart(world), databaseUrl: world.databaseUrl, settings }
  await measure(lab)
  print('| round | | median | 99 % | at most |\n|---|---|---|---|---|')
  for (let round = 1; round <= settings.rounds; round += 1)
    for (const beside of round % 2 === 0 ? [true, false] : [false, true])
      await measureRound(lab, round, beside)
}

function readSettings(): Settings {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      ...{ rooms: text('50000'), messages: text('200000'), rate: text('50') },
      ...{ seconds: text('10'), rounds: text('3'), ledger: text('0') },
    },
  })
  const { rooms, messages, rate, seconds, rounds, ledger } = values
  return {
    ...{ rooms: Number(rooms), messages: Number(messages), rate: Number(rate) },
    ...{ seconds: Number(seconds), rounds: Number(rounds), ledger: Number(ledger) },
  }
}

async function measure({ bench, running, settings: { rooms, rate, seconds } }: Lab, onStart = () => {}) {
  const load = { mix: 'messages' as const, rooms, rate, seconds, connections: 8, count: seconds * rate }
  return measureLoad(bench, running, load, onStart)
}

async function measureRound(lab: Lab, round: number, beside: boolean): Promise<void> {
  const { bench, databaseUrl, settings } = lab
  const { db, close } = openDatabase(databaseUrl, { max: 2, name: 'bench-retention', onLost: () => {} })
  let applied = Promise.resolve('alone')
  if (beside && settings.ledger === 0)
    for (const days of [...KEPT_BY_ONE, ...KEPT_BY_NOBODY]) await insertOld(bench, days, settings.messages)
  const begin = () => {
    applied = sleep(BEGIN_MS).then(() => apply(bench, db, settings))
  }
  const { routed_ms } = await measure(lab, beside ? begin : undefined)
  const [p50, p99, max] = [routed_ms?.p50, routed_ms?.p99, routed_ms?.max].map((ms) => `${ms?.toFixed(0)} ms`)
  print(`| ${round} | ${await applied} | ${p50} | ${p99} | ${max} |`)
  await close()
}

/** Messages of all orgs and numbers, so many days old; of the months that one org keeps, that org has none. */
async function insertOld({ client }: Bench, days: number, messages: number): Promise<void> {
  const ages = KEPT_BY_ONE.includes(days) ? KEPT_BY_ONE : KEPT_BY_NOBODY
  await client.query(
    `select make_month_of_messages(date_trunc('month', now() - make_interval(days => $1))::date, null)`,
    [days],
  )
  await client.query(
    `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
     select p.org_id, gen_random_uuid(), p.id, 'in', 'text', now() - $1::int * interval '1 day', now(), n, '',
       '{"text":{"body":"an old message"}}'
     from generate_series(1, $2::int) n, lateral (
       select * from waba_phones where org_id <> $3 order by org_id, id offset n % 90 limit 1) p limit $2::int`,
    [days, Math.ceil(messages / 2 / ages.length), orgOf(0)],
  )
}

/** The orgs get their settings now, or the workers would apply them on their own. */
async function apply(
  { client }: Bench,
  db: Parameters<typeof applyRetention>[0],
  { ledger }: Settings,
): Promise<string> {
  await client.query(`update orgs set retention_days = case when id = $1 then $2::int else ${DAYS} end`, [
    orgOf(0),
    ledger > 0 ? DAYS : YEAR,
  ])
  const began = performance.now()
  const { months, orgs }: Retained =
    ledger > 0
      ? { months: await dropOldMonths(db, new Date(Date.now() - DAYS * 86_400_000)), orgs: [] }
      : await applyRetention(db, { eventRetentionDays: 30 })
  const deleted = orgs.reduce((sum, { messages }) => sum + messages, 0)
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  await client.query('update orgs set retention_days = null')
  return `${deleted} messages deleted in batches, ${months.length} months dropped, in ${seconds} s`
}

say('a round takes half a minute')
runBench(retention, HELP)
