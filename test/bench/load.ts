import pg from 'pg'
import { openDatabase } from '../../src/db/client.ts'
import { provision } from '../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { COHORT, COHORTS, nameOf, ORGS, orgOf, phoneOf, wabaOf } from './people.ts'

/** Up to this number of rooms every foreign key is checked, which proves the loader; above it, that takes too long. */
const CHECKED_ROOMS = 100_000

/** SQL expressions for the rows that belong to room `n`. */
export const ORG = `'bench-' || n % ${ORGS}`
export const PHONE = `'bench-phone-' || n % ${ORGS}`
const WABA = `'bench-waba-' || n % ${ORGS}`
export const WA_ID = '(919000000000 + n)::text'
export const USER_ID = `'IN.1349' || lpad(n::text, 16, '0')`
const cohort = (name: keyof typeof COHORTS) => `${COHORT} in (${COHORTS[name].join(', ')})`
const id = (table: string) => `('${table}-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`
export const [CUSTOMER, CONTACT, ROOM] = [id('01930000-0000'), id('01930000-0001'), id('01930000-0002')]
const [OLDER_CONTACT, OLDER_ROOM] = [id('01920000-0001'), id('01920000-0002')]

/**
 * Fills a migrated, empty database: `rooms` chatrooms of 100 orgs with one number each, their customers, aliases
 * (phone, wa_id, BSUID), contacts and mappings, as if each had written before. Nothing in it falls due for months.
 */
export async function loadRooms(url: string, rooms: number, log: (line: string) => void): Promise<void> {
  await provisionOrgs(url)
  const client = new pg.Client(url)
  await client.connect()
  try {
    if (rooms > CHECKED_ROOMS) await client.query('set session_replication_role = replica')
    await client.query(`set statement_timeout = 0; set work_mem = '64MB'`)
    for (const [table, statement] of Object.entries(statementsFor(rooms))) {
      const start = performance.now()
      const { rowCount } = await client.query(statement)
      log(`  ${table}: ${rowCount} rows in ${Math.round((performance.now() - start) / 1000)} s`)
    }
    await client.query('vacuum (freeze, analyze)')
  } finally {
    await client.end()
  }
}

async function provisionOrgs(url: string): Promise<void> {
  const orgs = Array.from({ length: ORGS }, (_, n) => ({
    id: orgOf(n),
    name: `Bench ${n}`,
    settings: { inactivity_days: 180, expiry_days: 730 },
    wabas: [
      { id: wabaOf(n), name: 'Main', phones: [{ id: phoneOf(n), display_phone_number: `+91 98100 ${n}` }] },
    ],
  }))
  const { db, close } = openDatabase(url, { max: 1, name: 'bench-load', onLost: () => {} })
  await provision(db, parseProvisionFile(JSON.stringify({ orgs })), undefined)
  await close()
}

function statementsFor(rooms: number): Record<string, string> {
  const from = `from generate_series(1, ${rooms}) n`
  const older = `${from} where ${cohort('withOlder')}`
  const contacts =
    'insert into contacts (org_id, id, customer_id, crm_id, phone, first_name, opt_in_date, created_at, expired_at)'
  const chatrooms = `insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, created_at,
    activated_at, last_inbound_at, deactivated_at, deactivation_reason, expired_at)`
  const days = (count: number, span: number) => `now() - interval '1 day' * (${count} + ${span} * random())`
  return {
    customers: `insert into customers (org_id, id, profile_name, wa_id, wa_id_at)
      select ${ORG}, ${CUSTOMER}, '${nameOf(0).slice(0, -1)}' || n, ${WA_ID}, ${days(20, 5)} ${from}`,
    aliases: `insert into customer_aliases (org_id, kind, value, customer_id, created_at, waba_ids)
      select ${ORG}, a.kind, a.value, ${CUSTOMER}, ${days(10, 80)}, case a.kind when 'bsuid' then array[${WABA}] end ${from}
      cross join lateral (values ('phone', '+' || ${WA_ID}), ('wa_id', ${WA_ID}), ('bsuid', ${USER_ID})) a(kind, value)
      where a.kind <> 'bsuid' or not ${cohort('withoutUserId')}`,
    contacts: `${contacts} select ${ORG}, ${CONTACT}, ${CUSTOMER}, 'crm-' || n, '+' || ${WA_ID}, 'Customer ' || n,
      ${days(91, 1)}, ${days(90, 100)}, case when ${cohort('expired')} then ${days(1, 9)} end ${from}`,
    'older contacts': `${contacts} select ${ORG}, ${OLDER_CONTACT}, ${CUSTOMER}, 'crm-old-' || n, '+' || ${WA_ID},
      'Customer ' || n, ${days(201, 1)}, ${days(200, 100)}, null ${older}`,
    mappings: `insert into contact_wabas (org_id, contact_id, waba_phone_id) select ${ORG}, ${CONTACT}, ${PHONE} ${from}`,
    'older mappings': `insert into contact_wabas (org_id, contact_id, waba_phone_id)
      select ${ORG}, ${OLDER_CONTACT}, ${PHONE} ${older}`,
    chatrooms: `${chatrooms} select ${ORG}, ${ROOM}, ${CONTACT}, ${CUSTOMER}, ${PHONE}, 'Customer ' || n, ${days(80, 10)},
      ${days(20, 50)}, ${days(5, 15)}, case when ${cohort('asleep')} then ${days(1, 3)} end,
      case when ${cohort('asleep')} then 'FORCE_DEACTIVATE' end, case when ${cohort('expired')} then ${days(1, 3)} end
      ${from}`,
    'older chatrooms': `${chatrooms} select ${ORG}, ${OLDER_ROOM}, ${OLDER_CONTACT}, ${CUSTOMER}, ${PHONE},
      'Customer ' || n, ${days(190, 10)}, ${days(190, 1)}, ${days(120, 50)}, ${days(100, 10)}, 'FORCE_DEACTIVATE', null
      ${older}`,
  }
}
