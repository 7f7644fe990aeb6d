import express, { type Request, type Response, Router } from 'express'
import { validate as isUuid } from 'uuid'
import { z } from 'zod'
import { activateChatroom } from '../../chatrooms/activate-chatroom.ts'
import { deactivateChatroom } from '../../chatrooms/deactivate-chatroom.ts'
import { reassignChatroom } from '../../chatrooms/reassign-chatroom.ts'
import type { Db } from '../../db/client.ts'
import type { Org } from '../../db/schema/index.ts'
import { ApiError } from '../../errors.ts'
import { userOf } from '../../http/person.ts'
import { readOrg } from '../../orgs/read-org.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { customerPath } from '../ui/format.ts'
import { CHANGE_PATH } from './room-buttons.tsx'

type Key = { org: Org; chatroomId: string; actor: string; now: Date }
type Form = z.infer<typeof form>
type Change = (db: Db, key: Key, form: Form) => Promise<void>

const flag = z.literal('true').optional()
const form = z.object({
  customer: z.uuid(),
  force: flag,
  later: flag,
  user: z
    .string()
    .trim()
    .max(500)
    .regex(/^[^\0]*$/)
    .default(''),
})

/** By the last part of their paths; each with its line in the log. */
const CHANGES: Record<string, [Change, done: string]> = {
  deactivate: [
    (db, key) => deactivateChatroom(db, { ...key, reason: undefined }),
    'a chatroom was deactivated',
  ],
  activate: [
    (db, key, { force }) => activateChatroom(db, { ...key, forceDeactivate: force === 'true' }),
    'a chatroom was activated',
  ],
  reassign: [
    (db, key, { user, later }) =>
      reassignChatroom(db, {
        ...key,
        assign: { mode: 'USER', userId: user },
        onHandover: later === 'true',
      }),
    'a chatroom was reassigned',
  ],
}

/**
 * `POST /console/customer/rooms/:org/:room/:change`: changes a chatroom as the API does, and leads back to the page of the
 * customer. The audit and the log name who asked.
 */
export function createRoomChangeRoutes(parts: ConsoleParts): Router {
  const router = Router()
  const body = express.urlencoded({ extended: false, limit: '1kb' })
  for (const [name, [change, done]] of Object.entries(CHANGES))
    router.post(`${CHANGE_PATH}/:org/:room/${name}`, body, (req: RoomRequest, res) =>
      apply(parts, { change, done }, req, res),
    )
  return router
}

type RoomRequest = Request<{ org: string; room: string }>

async function apply(
  { db, log }: ConsoleParts,
  { change, done }: { change: Change; done: string },
  req: RoomRequest,
  res: Response,
): Promise<void> {
  const { org: orgId, room: chatroomId } = req.params
  const { data, success } = form.safeParse(req.body ?? {})
  if (!success) throw new ApiError('INVALID_INPUT', 'The form was not filled in on the page of a customer.')
  if (!isUuid(chatroomId)) throw new ApiError('CHATROOM_NOT_FOUND')
  const user = userOf(req) ?? ''
  const { org, now } = await readOrg(db, orgId)
  await change(db, { org, chatroomId, actor: `ops:${user}`, now }, data)
  log.info({ user, org: orgId, chatroom: chatroomId }, done)
  res.redirect(303, `${customerPath(orgId, data.customer)}#rooms`)
}
