import { type Request, Router } from 'express'
import { z } from 'zod'
import { listChatrooms } from '../../chatrooms/list-chatrooms.ts'
import { decodePlace } from '../../chatrooms/list-cursor.ts'
import type { Db } from '../../db/client.ts'
import { readNow } from '../../db/read-now.ts'
import { ApiError } from '../../errors.ts'
import { orgsOf } from '../../http/person.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { ShellOf } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { sendPage } from '../ui/send-page.ts'
import { listAgents, listGroups } from './list-agents.ts'
import { renderTeam, type Team } from './page.tsx'
import type { TeamQuery } from './paths.ts'
import { readLoad } from './read-load.ts'
import { readWaits, readWaitsOfOrgs } from './read-waits.ts'

const text = z
  .string()
  .max(500)
  .regex(/^[^\0]*$/)
  .transform((value) => value || undefined)
  .optional()
const shape = z.object({ org: text, group: text, user: text, before: text })

const ROWS = 50

/** `GET /console/team`. */
export function createTeamRoutes(shellOf: ShellOf, { db }: ConsoleParts): Router {
  const router = Router()

  router.get('/team', async (req, res) => {
    const asked = readQuery(req)
    const [now, orgs] = await Promise.all([readNow(db), listOrgs(db, orgsOf(req))])
    // An installation of one org needs no choice.
    const query = { ...asked, org: asked.org ?? (orgs.length === 1 ? orgs[0]?.id : undefined) }
    const { org } = query
    const shown =
      org === undefined
        ? {
            waits: await readWaitsOfOrgs(
              db,
              orgs.map(({ id }) => id),
            ),
          }
        : { team: await readTeam(db, { ...query, org }, now) }
    await sendPage(db, res, renderTeam(shellOf(req), { orgs, query, now, ...shown }))
  })

  return router
}

function readQuery(req: Request): TeamQuery {
  const { data } = shape.safeParse(req.query)
  if (data && (data.before === undefined || decodePlace(data.before))) return data
  throw new ApiError('INVALID_INPUT', 'The address has invalid parameters.')
}

async function readTeam(db: Db, query: TeamQuery & { org: string }, now: Date): Promise<Team> {
  const { org, group, user, before } = query
  const place = before === undefined ? undefined : decodePlace(before)
  const wanted = { orgId: org, state: 'active', waiting: true, limit: ROWS } as const
  const [agents, groups, waits, load, page] = await Promise.all([
    listAgents(db, org, group),
    listGroups(db, org),
    readWaits(db, org),
    readLoad(db, org, now),
    listChatrooms(db, { ...wanted, assignedTo: user, before: place }),
  ])
  const names = new Map(agents.map(({ id, name }) => [id, name]))
  return { agents, groups, waits, load, rooms: page.chatrooms, next: page.next, names }
}
