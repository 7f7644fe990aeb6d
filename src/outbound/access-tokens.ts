import type { Db } from '../db/client.ts'
import { allRows, run, type Statement } from '../db/statement.ts'
import type { Logger } from '../logger.ts'
import { accessTokenOf } from './access-token.ts'

/** A WABA with its encrypted access token. */
type Sealed = { org: string; wabaId: string; accessToken: Buffer }

/** Which WABAs this process can send for. A process with a wrong key takes no sends; that says nothing about a number. */
export type AccessTokens = {
  /** The token of a send's WABA. Undefined: this process cannot use it, and leaves its sends to others for a minute. */
  tokenOf(send: Sealed): string | undefined
  /** The WABAs whose sends this process leaves to others. */
  unusable(): { org: string; wabaId: string }[]
  /** Resolves when this process can decrypt tokens, or when there are none; asks the database once in 5 s at most. */
  expectKey(): Promise<void>
}

const LEAVE_MS = 60_000
const KNOWN_MS = 5_000

type Parts = { db: Db; secretsKey: Buffer | undefined; log: Logger }

/** Creates the view of the access tokens through the key of this process. */
export function createAccessTokens({ db, secretsKey, log }: Parts): AccessTokens {
  const left = new Map<string, { org: string; wabaId: string; until: number }>()
  const findFault = createFaultFinder({ db, secretsKey, log })
  return {
    tokenOf(send) {
      const token = accessTokenOf(send, secretsKey)
      if (token !== undefined) return token
      const { org, wabaId } = send
      left.set(`${org}/${wabaId}`, { org, wabaId, until: performance.now() + LEAVE_MS })
      log.error({ org, waba: wabaId }, 'the access token of a WABA cannot be used here: its sends wait')
      return undefined
    },
    unusable() {
      for (const [key, { until }] of left) if (until < performance.now()) left.delete(key)
      return [...left.values()]
    },
    async expectKey() {
      const fault = await findFault()
      if (fault) throw new Error(fault)
    },
  }
}

/** Finds what is wrong with the key, if anything is, and logs each change once. */
function createFaultFinder({ db, secretsKey, log }: Parts): () => Promise<string | undefined> {
  let known: string | undefined
  let knownUntil = 0
  return async () => {
    if (performance.now() < knownUntil) return known
    const fault = faultOf(await run(db, readSealed()), secretsKey)
    if (fault && fault !== known) log.error(`this process takes no sends: ${fault}`)
    if (!fault && known) log.info('this process takes sends again: SECRETS_KEY fits')
    known = fault
    knownUntil = performance.now() + KNOWN_MS
    return known
  }
}

function faultOf(sealed: Sealed[], key: Buffer | undefined): string | undefined {
  if (sealed.length === 0) return undefined
  if (!key) return 'SECRETS_KEY is not set, and WABAs have access tokens'
  if (sealed.some((waba) => accessTokenOf(waba, key) !== undefined)) return undefined
  return 'SECRETS_KEY is not the key that encrypted the access tokens'
}

const MAX_READ = 100

function readSealed(): Statement<Sealed[]> {
  return {
    name: 'read-sealed-tokens',
    text: `select org_id as org, id as "wabaId", access_token as "accessToken" from wabas
      where access_token is not null order by created_at desc limit ${MAX_READ}`,
    values: [],
    read: allRows<Sealed>,
  }
}
