import express, { type Request, type Response, Router } from 'express'
import { validate as isUuid } from 'uuid'
import { z } from 'zod'
import { readNow } from '../../db/read-now.ts'
import { ApiError } from '../../errors.ts'
import { replayPeriod } from '../../event-push/replay.ts'
import { testEndpoint } from '../../event-push/test-endpoint.ts'
import { userOf } from '../../http/person.ts'
import { readEndpoint } from '../../webhook-endpoints/read-endpoints.ts'
import { updateEndpoint } from '../../webhook-endpoints/update-endpoint.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { REPLAY_HOURS } from './buttons.tsx'
import { pathOf } from './endpoint-parts.tsx'

type Key = { orgId: string; id: string; actor: string }
type Change = (parts: ConsoleParts, key: Key, req: Request) => Promise<void>

/** Tests, enables or replays an endpoint, and leads back to its page. The log records who did it. */
export function createEndpointChangeRoutes(parts: ConsoleParts): Router {
  const router = Router()
  const form = express.urlencoded({ extended: false, limit: '1kb' })
  for (const [name, [change, done]] of Object.entries(CHANGES))
    router.post(`/webhooks/:org/:id/${name}`, form, async (req, res) => {
      await apply(parts, { change, done }, req, res)
    })
  return router
}

type EndpointRequest = Request<{ org: string; id: string }>

async function apply(
  parts: ConsoleParts,
  { change, done }: { change: Change; done: string },
  req: EndpointRequest,
  res: Response,
): Promise<void> {
  const { org: orgId, id } = req.params
  if (!isUuid(id)) throw new ApiError('WEBHOOK_ENDPOINT_NOT_FOUND')
  const user = userOf(req) ?? ''
  await change(parts, { orgId, id, actor: `ops:${user}` }, req as Request)
  parts.log.info({ user, org: orgId, endpoint: id }, done)
  res.redirect(303, `${pathOf({ orgId, id })}#attempts`)
}

/** By the last part of their paths; each with its line in the log. */
const CHANGES: Record<string, [Change, done: string]> = {
  test: [
    async ({ db, installation }, { orgId, id }) => {
      const endpoint = await readEndpoint(db, orgId, id)
      await testEndpoint(db, endpoint, { now: await readNow(db), installation })
    },
    'a webhook endpoint was tested',
  ],
  enable: [
    async ({ db, installation }, key) => {
      await updateEndpoint(db, { ...key, changes: { enabled: true }, installation })
    },
    'a webhook endpoint was enabled',
  ],
  replay: [
    async ({ db }, key, req) => {
      const now = await readNow(db)
      await replayPeriod(db, key, { from: new Date(now.getTime() - readHours(req) * HOUR_MS), to: now })
    },
    'events of a webhook endpoint are posted once more',
  ],
}

const HOUR_MS = 3_600_000
const replayForm = z.object({ hours: z.coerce.number().refine((hours) => REPLAY_HOURS.includes(hours)) })

/** @throws ApiError INVALID_INPUT */
function readHours({ body }: Request): number {
  const { data, success } = replayForm.safeParse(body)
  if (!success) throw new ApiError('INVALID_INPUT', 'hours must be one of those that the page offers.')
  return data.hours
}
