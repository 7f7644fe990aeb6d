import type { Db } from '../db/client.ts'
import type { Org, OutboxRow } from '../db/schema/index.ts'
import type { Installation } from '../installation.ts'
import type { Caller } from './caller.ts'
import type { LimitOnce } from './rate-limit.ts'

/** What a handler receives. `params`, `query` and `body` are parsed; `actor` is the caller as `events` names it. */
export type Context<Params, Query, Body> = {
  db: Db
  org: Org
  caller: Caller
  actor: string
  /** The database's clock when the request was authorized; this machine's clock decides nothing. */
  now: Date
  installation: Installation
  limitOnce: LimitOnce
  /** Wakes the senders for these outbox rows once the answer is committed. */
  announceSends: (rows: OutboxRow[]) => void
  params: Params
  query: Query
  body: Body
}

/** An authorized request before validation. */
export type RawRequest = Pick<
  Context<unknown, unknown, unknown>,
  'org' | 'caller' | 'now' | 'installation' | 'limitOnce' | 'announceSends'
> & {
  params: unknown
  query: unknown
  body: unknown
}
