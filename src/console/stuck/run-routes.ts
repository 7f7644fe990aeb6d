import express, { type Request, type Response, Router } from 'express'
import { validate as isUuid } from 'uuid'
import { z } from 'zod'
import { endRun, type RunKey, startRun, takeOverRun } from '../../bulk-runs/start-run.ts'
import { workOnRun } from '../../bulk-runs/work-on-run.ts'
import { ApiError } from '../../errors.ts'
import { userOf } from '../../http/person.ts'
import { readOrg } from '../../orgs/read-org.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { readQuery } from '../ui/page-query.ts'
import { READERS } from './lists.tsx'
import { knownTotal } from './search.ts'
import { filterShape, listPath, STUCK, toFilter } from './stuck-query.ts'

const form = filterShape.extend({ confirm: z.literal('true').optional() })

/**
 * `POST /console/stuck/replay` and `/console/stuck/sends/retry` begin a run over all dead letters, or all failed sends, that
 * fit the filter of the form; `/console/stuck/runs/:id/continue` and `/end` go on with one that stands still, and end one.
 * This process works on the run after the answer. What is asked of a run twice is done once. The log names who asked.
 */
export function createRunRoutes(parts: ConsoleParts): Router {
  const router = Router()
  const body = express.urlencoded({ extended: false, limit: '4kb' })
  router.post('/stuck/replay', body, (req, res) => replay(parts, req, res))
  router.post('/stuck/sends/retry', body, (req, res) => retry(parts, req, res))
  router.post('/stuck/runs/:id/continue', (req, res) => goOn(parts, req, res))
  router.post('/stuck/runs/:id/end', (req, res) => end(parts, req, res))
  return router
}

async function replay(parts: ConsoleParts, req: Request, res: Response): Promise<void> {
  const { reason, age } = toFilter(readQuery(form, req.body ?? {}))
  const total = knownTotal(await READERS.dead.count(parts.db, { orgIds: [], filter: { reason, age } }))
  const user = userOf(req) ?? ''
  const wanted = { kind: 'replay', orgId: undefined, filter: { reason, age } } as const
  const key = await startRun(parts.db, { ...wanted, actor: `ops:${user}`, total })
  parts.log.info({ user, run: key.id, total }, 'a replay of dead letters has begun')
  void workOnRun(parts, key, 'replay')
  res.redirect(303, listPath('dead', { reason, age }))
}

/**
 * Messages whose outcome is unknown are sent again only by a form that names this state, and whose box is ticked.
 * @throws ApiError INVALID_INPUT without an org, OUTCOME_IS_UNKNOWN without the tick
 */
async function retry(parts: ConsoleParts, req: Request, res: Response): Promise<void> {
  const { confirm, ...fields } = readQuery(form, req.body ?? {})
  const { org, number, reason, age, state = 'failed' } = toFilter(fields)
  if (org === undefined) throw new ApiError('INVALID_INPUT', 'Choose the org whose messages are sent again.')
  if (state === 'unknown' && confirm !== 'true') throw new ApiError('OUTCOME_IS_UNKNOWN')
  await readOrg(parts.db, org)
  const filter = { number, reason, age, state }
  const total = knownTotal(await READERS.sends.count(parts.db, { orgIds: [org], filter }))
  const user = userOf(req) ?? ''
  const wanted = { kind: 'retry', orgId: org, filter } as const
  const key = await startRun(parts.db, { ...wanted, actor: `ops:${user}`, total })
  parts.log.info({ user, org, run: key.id, total }, 'a retry of failed sends has begun')
  void workOnRun(parts, key, 'retry')
  res.redirect(303, listPath('sends', { org, ...filter }))
}

type RunRequest = Request<{ id: string }>

async function goOn(parts: ConsoleParts, req: RunRequest, res: Response): Promise<void> {
  const { id } = req.params
  const taken = isUuid(id) ? await takeOverRun(parts.db, id) : undefined
  if (!taken) return res.redirect(303, STUCK)
  const key: RunKey = { id: taken.id, runner: taken.runner }
  parts.log.info({ user: userOf(req), run: id }, 'a run over many rows goes on')
  void workOnRun(parts, key, taken.kind)
  res.redirect(303, pageOf(taken))
}

async function end({ db, log }: ConsoleParts, req: RunRequest, res: Response): Promise<void> {
  const { id } = req.params
  const ended = isUuid(id) ? await endRun(db, id) : undefined
  if (!ended) return res.redirect(303, STUCK)
  log.info({ user: userOf(req), run: id }, 'a run over many rows was ended')
  res.redirect(303, pageOf(ended))
}

const pageOf = ({ kind, orgId }: { kind: 'replay' | 'retry'; orgId: string | null }) =>
  kind === 'replay' ? listPath('dead') : listPath('sends', { org: orgId ?? undefined })
