import { SetupError } from '../config.ts'
import { succeeds, within } from '../deadline.ts'
import { openDatabase } from './client.ts'
import { isMisconfigured, sqlState } from './pg-errors.ts'
import { proveNotifications } from './prove-notifications.ts'
import { proveSessions } from './prove-sessions.ts'
import { adviseOnTls } from './tls-errors.ts'
import type { DatabaseAccess } from './url.ts'

type Access = Omit<DatabaseAccess, 'stop'>

/** For the few statements of one proof. */
const PROOF_MS = 2_000
/** For the same statements, when it matters whether a server is only busy. */
const PATIENT_MS = 10_000
const CLOSE_MS = 1_000
const CANNOT_PIPELINE =
  'DATABASE_URL leads to a proxy that answers single statements, but not statements that are sent before the answer to the one before: set DATABASE_PIPELINE=off'

/**
 * Proves over connections of its own that Usher's statements work as it relies on: its settings hold, prepared
 * statements stay prepared, statements may be sent before the answer to the one before, and notifications arrive. Gives
 * whether a pooler stands before PostgreSQL. A database that is late gets more time: it may be overloaded, or a pooler
 * has given all its connections to this process.
 * @throws SetupError for a mistake of the installation; anything else when the database cannot be asked at the moment.
 */
export function proveConnections(access: Access): Promise<{ hasPooler: boolean }> {
  return proveWithin(access, PROOF_MS).catch((error) =>
    isLate(error) ? proveWithin(access, PATIENT_MS) : Promise.reject(error),
  )
}

async function proveWithin(access: Access, ms: number): Promise<{ hasPooler: boolean }> {
  try {
    const hasPooler = await provePipelined(access, ms)
    await within(ms, () => proveNotifications(access, ms))
    return { hasPooler }
  } catch (error) {
    throw isMisconfigured(error) ? new SetupError(reasonOf(error), { cause: error }) : error
  }
}

/**
 * As `proveConnections`, when a process starts: a database that is away is no mistake.
 * @throws SetupError
 */
export async function refuseMistakes(access: Access): Promise<{ hasPooler: boolean }> {
  try {
    return await proveConnections(access)
  } catch (error) {
    if (error instanceof SetupError) throw error
    return { hasPooler: false }
  }
}

/**
 * A proxy that cannot pipeline answers nothing, as a database that is away. It is taken for one only if it answers
 * single statements soon, and the same statements sent ahead not even in a much longer time.
 */
async function provePipelined(access: Access, ms: number): Promise<boolean> {
  try {
    return await prove(access, ms)
  } catch (error) {
    if (!isLate(error) || access.link.pipeline === false) throw error
    await prove({ ...access, link: { ...access.link, pipeline: false } }, PROOF_MS)
    return prove(access, PATIENT_MS).catch((error) => {
      throw isDeadline(error) ? new SetupError(CANNOT_PIPELINE, { cause: error }) : error
    })
  }
}

async function prove({ url, link }: Access, ms: number): Promise<boolean> {
  const { db, close } = openDatabase(url, {
    ...{ max: 2, name: 'usher-proof', onLost: () => undefined, waitMs: ms },
    ...link,
  })
  try {
    return await within(ms, () => proveSessions(db, link.isPooled === true))
  } finally {
    // A pooler in session mode has few connections, so the next proof waits until these are free.
    await succeeds(CLOSE_MS, close)
  }
}

/** Whether a server, or the network, took too long to answer or to connect. */
function isLate(error: unknown): boolean {
  return isDeadline(error) || (error instanceof Error && /timeout/i.test(error.message))
}

function isDeadline(error: unknown): boolean {
  return error instanceof Error && error.name === 'DeadlineError'
}

function reasonOf(error: unknown): string {
  const advice = adviseOnTls(error)
  if (advice !== undefined) return advice
  const state = sqlState(error) ?? ''
  if (state === '3D000')
    return 'The database that DATABASE_URL names does not exist: create it, or correct the URL'
  if (state.startsWith('28'))
    return 'PostgreSQL refuses the user or the password of DATABASE_URL: correct the URL, or pg_hba.conf'
  return 'The pooler refuses DATABASE_URL (SQLSTATE 08P01): its user and database must be known to the pooler, and the URL must have no ?options='
}
