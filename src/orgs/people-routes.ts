import { z } from 'zod'
import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId } from '../input-fields.ts'
import { GroupDto, GroupListDto, pageQuery, UserDto, UserListDto } from './dtos.ts'
import { PEOPLE_ERRORS, READING, WRITING } from './people-policy.ts'
import { provisionOne } from './provision.ts'
import { PARTS, partId } from './provision-parts.ts'
import { nextAfter, oneOf, readGroups, readUsers } from './read-people.ts'
import { removalEndpoints } from './removal-routes.ts'

const tags = ['users']
const ofUser = { orgId: foreignId, userId: partId }
const ofGroup = { orgId: foreignId, groupId: partId }
const keeps = 'What is left out is kept.'

const users = [
  defineEndpoint({
    ...{ method: 'get', path: '/v1/org/{orgId}/users', operationId: 'listUsers', tags, policy: READING },
    summary: 'List the users of the org',
    params: { orgId: foreignId },
    query: pageQuery,
    responses: { 200: { description: 'In the order of their ids', schema: UserListDto } },
    errors: PEOPLE_ERRORS,
    handler: async ({ db, org, query }) => {
      const found = await readUsers(db, org.id, query)
      return { status: 200, body: { users: found, next_after: nextAfter(found, query, ({ id }) => id) } }
    },
  }),
  defineEndpoint({
    ...{
      method: 'get',
      path: '/v1/org/{orgId}/users/{userId}',
      operationId: 'getUser',
      tags,
      policy: READING,
    },
    summary: 'Get a user',
    params: ofUser,
    responses: { 200: { description: 'The user', schema: UserDto } },
    errors: { ...PEOPLE_ERRORS, 404: 'The org has no such user' },
    handler: async ({ db, org, params: { userId: id } }) => ({
      status: 200,
      body: oneOf(await readUsers(db, org.id, { id }), 'USER_NOT_FOUND'),
    }),
  }),
  defineEndpoint({
    ...{
      method: 'put',
      path: '/v1/org/{orgId}/users/{userId}',
      operationId: 'putUser',
      tags,
      policy: WRITING,
    },
    summary: 'Create or change a user, or bring a removed one back',
    description: keeps,
    params: ofUser,
    body: z.strictObject(PARTS.user),
    example: { body: { email: 'asha@acme.example', name: 'Asha' } },
    responses: { 200: { description: 'The user as it is now', schema: UserDto } },
    errors: {
      ...PEOPLE_ERRORS,
      404: 'The user was removed meanwhile',
      409: 'Another user has the e-mail address',
    },
    handler: async ({ db, org, actor, installation, params: { userId: id }, body }) => {
      await provisionOne(db, { id: org.id, users: [{ id, ...body }] }, { actor, ...installation })
      return { status: 200, body: oneOf(await readUsers(db, org.id, { id }), 'USER_NOT_FOUND') }
    },
  }),
]

const groups = [
  defineEndpoint({
    ...{ method: 'get', path: '/v1/org/{orgId}/groups', operationId: 'listGroups', tags, policy: READING },
    summary: 'List the groups of the org',
    params: { orgId: foreignId },
    query: pageQuery,
    responses: { 200: { description: 'In the order of their ids', schema: GroupListDto } },
    errors: PEOPLE_ERRORS,
    handler: async ({ db, org, query }) => {
      const found = await readGroups(db, org.id, query)
      return { status: 200, body: { groups: found, next_after: nextAfter(found, query, ({ id }) => id) } }
    },
  }),
  defineEndpoint({
    ...{
      method: 'get',
      path: '/v1/org/{orgId}/groups/{groupId}',
      operationId: 'getGroup',
      tags,
      policy: READING,
    },
    summary: 'Get a group',
    params: ofGroup,
    responses: { 200: { description: 'The group', schema: GroupDto } },
    errors: { ...PEOPLE_ERRORS, 404: 'The org has no such group' },
    handler: async ({ db, org, params: { groupId: id } }) => ({
      status: 200,
      body: oneOf(await readGroups(db, org.id, { id }), 'GROUP_NOT_FOUND'),
    }),
  }),
  defineEndpoint({
    ...{
      method: 'put',
      path: '/v1/org/{orgId}/groups/{groupId}',
      operationId: 'putGroup',
      tags,
      policy: WRITING,
    },
    summary: 'Create or change a group',
    description: `${keeps} \`members\`, if it is given, are all members.`,
    params: ofGroup,
    body: z.strictObject(PARTS.group),
    example: { body: { name: 'Sales', members: ['asha'] } },
    responses: { 200: { description: 'The group as it is now', schema: GroupDto } },
    errors: { ...PEOPLE_ERRORS, 404: 'A member is no user of the org, or the group was removed meanwhile' },
    handler: async ({ db, org, actor, installation, params: { groupId: id }, body }) => {
      await provisionOne(db, { id: org.id, groups: [{ id, ...body }] }, { actor, ...installation })
      return { status: 200, body: oneOf(await readGroups(db, org.id, { id }), 'GROUP_NOT_FOUND') }
    },
  }),
]

/** The users and groups of an org, for its ADMINs. */
export const peopleEndpoints = [...users, ...groups, ...removalEndpoints]
