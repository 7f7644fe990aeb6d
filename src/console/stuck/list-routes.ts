import { type Request, type Response, Router } from 'express'
import type { Db } from '../../db/client.ts'
import { orgsOf } from '../../http/person.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { ShellOf } from '../ui/layout.tsx'
import { listNumbers } from '../ui/list-numbers.ts'
import { listOrgs } from '../ui/list-orgs.ts'
import { type PageQuery, readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { renderList } from './list-page.tsx'
import { READERS, readBrief } from './lists.tsx'
import { type Brief, renderStuck } from './page.tsx'
import { readRuns } from './read-runs.ts'
import type { Replay } from './replay-banner.tsx'
import { replayProgress } from './replay-progress.ts'
import { type ListName, listsFor, readStuckQuery } from './stuck-query.ts'

const PAGE_SIZE = 50
const BRIEF_SIZE = 10

/** `/console/stuck`: the beginnings of all lists; `/console/stuck/<list>`: a page of one, by filter and place. */
export function createStuckListRoutes(shellOf: ShellOf, parts: ConsoleParts): Router {
  const router = Router()
  router.get('/stuck', (req, res) => showAll(shellOf, parts, req, res))
  for (const list of listsFor(undefined))
    router.get(`/stuck/${list}`, (req, res) => showList(shellOf, parts, list, req, res))
  return router
}

async function showAll(shellOf: ShellOf, { db }: ConsoleParts, req: Request, res: Response): Promise<void> {
  const { org: orgId } = readPageQuery(req)
  const visible = orgsOf(req)
  const orgs = await listOrgs(db, visible)
  const orgIds = orgId === undefined ? orgs.map(({ id }) => id) : [orgId]
  const reading = { orgIds, filter: {}, size: BRIEF_SIZE, readOnly: shellOf(req).readOnly }
  const briefs: Brief[] = []
  for (const list of listsFor(visible)) {
    const total = await READERS[list].count(db, reading)
    briefs.push({ list, total, table: await readBrief(db, list, reading) })
  }
  await sendPage(db, res, renderStuck(shellOf(req), { orgs, orgId, briefs }))
}

async function showList(
  shellOf: ShellOf,
  { db }: ConsoleParts,
  list: ListName,
  req: Request,
  res: Response,
): Promise<void> {
  const { filter, before } = readStuckQuery(req)
  const visible = orgsOf(req)
  const orgs = await listOrgs(db, visible)
  const orgIds = filter.org === undefined ? orgs.map(({ id }) => id) : [filter.org]
  const reading = { orgIds, filter, before, size: PAGE_SIZE, readOnly: shellOf(req).readOnly }
  const [total, listed, numbers, replay, runs] = await Promise.all([
    READERS[list].count(db, reading),
    READERS[list].read(db, reading),
    listNumbers(db, filter.org === undefined ? visible : [filter.org]),
    visible ? undefined : readReplay(db, readPageQuery(req)),
    readRuns(db, list, orgIds),
  ])
  await sendPage(
    db,
    res,
    renderList(shellOf(req), { list, filter, orgs, numbers, total, listed, replay, runs }),
  )
}

async function readReplay(db: Db, { replayed, first, last }: PageQuery): Promise<Replay | undefined> {
  if (replayed === undefined || first === undefined || last === undefined) return undefined
  return { replayed, ...(await replayProgress(db, first, last)) }
}
