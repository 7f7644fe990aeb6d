import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { firstRow, nothing, run, type Statement, send } from '../db/statement.ts'
import { logSql } from '../event-log/log-events.ts'
import { POSITION_OF_ROW } from '../event-log/position.ts'
import { accessTokenOf } from '../outbound/access-token.ts'
import { encryptSecret } from '../secrets.ts'
import { claimMetaObject } from './claim-meta-object.ts'
import { ProvisionError } from './provision-error.ts'
import type { WantedWaba } from './provision-parts.ts'
import type { Provisioner } from './provisioner.ts'

/**
 * Creates WABAs and changes them. The audit says that a token was written, and never the token. The org's row must be locked.
 * @returns the ids of the WABAs that came with a token
 * @throws ProvisionError when a WABA belongs to another org, is new and has no name, or has a token without SECRETS_KEY
 */
export async function provisionWabas(
  tx: Db,
  orgId: string,
  wabas: WantedWaba[],
  by: Provisioner,
): Promise<string[]> {
  for (const waba of wabas) await provisionWaba(tx, orgId, waba, by)
  return wabas.flatMap(({ id, access_token }) => (access_token === undefined ? [] : [id]))
}

type Known = { name: string; host: string | null; accessToken: Buffer | null }

async function provisionWaba(tx: Db, orgId: string, waba: WantedWaba, by: Provisioner): Promise<void> {
  await claimMetaObject(tx, 'waba', waba.id, orgId)
  const known = await run(tx, readWaba(orgId, waba.id))
  const name = waba.name ?? known?.name
  if (name === undefined)
    throw new ProvisionError('INVALID_INPUT', `the WABA ${waba.id} is new: name is required`)
  const host = waba.matrix_host_name ?? known?.host ?? null
  const hasNewToken = waba.access_token !== undefined && !isSameToken(orgId, waba, known, by.secretsKey)
  if (known && name === known.name && host === known.host && !hasNewToken) return
  const token = waba.access_token === undefined ? null : encryptToken(waba, orgId, by.secretsKey)
  await run(tx, writeWaba(orgId, waba.id, [name, host, token]))
  const kind = known ? ('waba.updated' as const) : ('waba.created' as const)
  const before = known && { name: known.name, matrix_host_name: known.host }
  const after = { remote_waba_id: waba.id, name, matrix_host_name: host, new_access_token: hasNewToken }
  await recordEvents(tx, [
    { orgId, kind, actor: by.actor, reason: ASKED_FOR, ...(before && { before }), after },
  ])
}

function isSameToken(
  org: string,
  { id: wabaId, access_token }: WantedWaba,
  known: Known | undefined,
  key: Buffer | undefined,
): boolean {
  return (
    !!known?.accessToken &&
    accessTokenOf({ accessToken: known.accessToken, org, wabaId }, key) === access_token
  )
}

function encryptToken({ id, access_token = '' }: WantedWaba, orgId: string, key: Buffer | undefined): Buffer {
  if (!key)
    throw new ProvisionError(
      'SECRETS_KEY_MISSING',
      `the WABA ${id} has an access_token: SECRETS_KEY must be set, which encrypts it`,
    )
  return encryptSecret(access_token, key, `${orgId}/${id}`)
}

function readWaba(orgId: string, id: string): Statement<Known | undefined> {
  return {
    text: `select name, matrix_host_name as host, access_token as "accessToken" from wabas
      where org_id = $1 and id = $2`,
    values: [orgId, id],
    read: firstRow<Known>,
  }
}

function writeWaba(
  orgId: string,
  id: string,
  row: [name: string, host: string | null, token: Buffer | null],
): Statement<void> {
  return {
    text: `insert into wabas as w (org_id, id, name, matrix_host_name, access_token) values ($1, $2, $3, $4, $5)
      on conflict (org_id, id) do update set name = excluded.name, matrix_host_name = excluded.matrix_host_name,
        access_token = coalesce(excluded.access_token, w.access_token)`,
    values: [orgId, id, ...row],
    read: nothing,
  }
}

/** Lets numbers that Meta has stopped send again, because their WABAs have a token now. */
export async function resumeNumbers(tx: Db, orgId: string, wabaIds: string[]): Promise<void> {
  if (wabaIds.length === 0) return
  const stopped = `(select org_id, 'number.resumed' as type, json_build_object('remote_phone_id', remote_id) as data
    from waba_phones where org_id = $1 and waba_id = any($2::text[]) and stopped_at is not null for update) as stopped`
  const log = { text: logSql(stopped, 'org_id, type, data', POSITION_OF_ROW) }
  const resume = {
    text: `update waba_phones set stopped_at = null, stopped_reason = null, resumed_at = now()
      where org_id = $1 and waba_id = any($2::text[])`,
  }
  const values = [orgId, wabaIds]
  await send(tx, [
    { ...log, values, read: nothing },
    { ...resume, values, read: nothing },
  ])
}
