import type { Db } from '../db/client.ts'
import { decryptSecret } from '../secrets.ts'
import { type Check, fail, warn } from './check.ts'
import { checkNumber } from './check-number.ts'
import { checkFields, checkSubscribedApp } from './check-subscriptions.ts'
import { checkToken } from './check-token.ts'
import type { GraphGet } from './graph-get.ts'
import { readWabas, type Waba } from './read-wabas.ts'
import { readTokenFacts } from './token-facts.ts'

type Parts = {
  db: Db
  graph: GraphGet
  secretsKey: Buffer | undefined
  appSecrets: string[]
  /** The database's time. */
  now: Date
}

/**
 * Asks Meta about the WABAs and numbers of an org: the token, the subscription of the WABA and of the app's fields, and
 * each number. The ids in the answer are those of Meta; phones and tokens are not in it.
 */
export async function checkMeta(parts: Parts, orgId: string): Promise<Check[]> {
  const wabas = await readWabas(parts.db, orgId)
  if (wabas === undefined) return [fail('Org', `there is no org ${orgId}`, 'npm run provision')]
  if (wabas.length === 0) return [fail('Org', `${orgId} has no WABA`, 'add its WABAs to the org file')]
  const checks = await Promise.all(wabas.map((waba) => checkWaba(parts, orgId, waba)))
  return checks.flat()
}

async function checkWaba(parts: Parts, orgId: string, waba: Waba): Promise<Check[]> {
  const name = `WABA ${waba.id}`
  const token = openToken(waba, orgId, parts.secretsKey)
  if (token === undefined)
    return [
      fail(`${name}: token`, 'there is none, or SECRETS_KEY does not open it', 'provision it with a token'),
    ]
  const described = await readTokenFacts(parts.graph, token)
  if (typeof described === 'string')
    return [fail(`${name}: token`, described, 'make a new token for a system user, and provision it')]
  const { graph, appSecrets, now } = parts
  return [
    ...checkToken(name, described, now),
    await checkSubscribedApp(graph, waba.id, token, described.app_id),
    await checkFields(graph, name, described.app_id, appSecrets),
    ...(await Promise.all(waba.numbers.map((number) => checkNumber(graph, number, token)))),
    ...(waba.numbers.length === 0 ? [warn(name, 'has no number', 'add its numbers to the org file')] : []),
  ]
}

function openToken({ id, accessToken }: Waba, orgId: string, key: Buffer | undefined): string | undefined {
  if (!accessToken || !key) return undefined
  try {
    return decryptSecret(accessToken, key, `${orgId}/${id}`)
  } catch {
    return undefined
  }
}
