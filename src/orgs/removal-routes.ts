import { z } from 'zod'
import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId } from '../input-fields.ts'
import { PEOPLE_ERRORS, WRITING } from './people-policy.ts'
import { removeGroup } from './remove-group.ts'
import { removeMember } from './remove-members.ts'
import { removeUser } from './remove-users.ts'

const tags = ['users']

const RemovedUserDto = z
  .object({
    user_id: z.string(),
    released_chatrooms: z.int().min(0).meta({
      description:
        'The chatrooms that were taken from the user, in every state, and given to the delegate or to nobody.',
    }),
  })
  .meta({ id: 'RemovedUserDto' })

const user = defineEndpoint({
  method: 'delete',
  path: '/v1/org/{orgId}/users/{userId}',
  operationId: 'removeUser',
  summary: 'Remove a user',
  description:
    "The user's tokens are refused from now on, and nobody can assign a chatroom to the user\n- The user's chatrooms go to the org's delegate, or to nobody; pending handovers to the user are cancelled",
  tags,
  policy: WRITING,
  params: { orgId: foreignId, userId: foreignId },
  responses: { 200: { description: 'The user is removed', schema: RemovedUserDto } },
  errors: { ...PEOPLE_ERRORS, 404: 'The org has no such user, or the user was removed already' },
  handler: async ({ db, org, actor, params: { userId } }) => {
    const released_chatrooms = await removeUser(db, org.id, userId, actor)
    return { status: 200, body: { user_id: userId, released_chatrooms } }
  },
})

const member = defineEndpoint({
  method: 'delete',
  path: '/v1/org/{orgId}/groups/{groupId}/members/{userId}',
  operationId: 'removeGroupMember',
  summary: 'Remove a user from a group',
  description: 'The user is not picked from the group any more, and keeps the chatrooms.',
  tags,
  policy: WRITING,
  params: { orgId: foreignId, groupId: foreignId, userId: foreignId },
  responses: { 204: { description: 'The user is not a member any more' } },
  errors: { ...PEOPLE_ERRORS, 404: 'The group has no such member' },
  handler: async ({ db, org, actor, params: { groupId, userId } }) => {
    await removeMember(db, { orgId: org.id, groupId, userId, actor })
    return { status: 204 }
  },
})

const group = defineEndpoint({
  method: 'delete',
  path: '/v1/org/{orgId}/groups/{groupId}',
  operationId: 'removeGroup',
  summary: 'Remove a group',
  description: "Its members keep their chatrooms. If it was the org's delegate, the org has none.",
  tags,
  policy: WRITING,
  params: { orgId: foreignId, groupId: foreignId },
  responses: { 204: { description: 'The group is removed' } },
  errors: { ...PEOPLE_ERRORS, 404: 'The org has no such group' },
  handler: async ({ db, org, actor, params: { groupId } }) => {
    await removeGroup(db, { orgId: org.id, id: groupId, actor })
    return { status: 204 }
  },
})

/** Removing users, from the org or from a group, and groups. */
export const removalEndpoints = [user, group, member]
