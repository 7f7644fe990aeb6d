import { z } from 'zod'
import { type AdminEndpoint, defineAdminEndpoint } from '../http/admin-endpoint.ts'
import {
  AffiliateDto,
  AffiliateListDto,
  GroupDto,
  GroupListDto,
  NumberDto,
  NumberListDto,
  OrgDto,
  UserDto,
  UserListDto,
  WabaDto,
  WabaListDto,
} from './dtos.ts'
import { ADMIN_ERRORS, partEndpoints } from './part-routes.ts'
import { provisionOne } from './provision.ts'
import { ORG, PARTS, partId, toWanted } from './provision-parts.ts'
import { nextAfter, oneOf, readAffiliates, readGroups, readUsers } from './read-people.ts'
import { describeNumber, describeOrg, describeWaba, listNumbers, listWabas } from './read-wabas.ts'
import { removeAffiliate } from './remove-affiliate.ts'
import { removeGroup } from './remove-group.ts'
import { removeUser } from './remove-users.ts'
import { removeNumber, removeWaba } from './remove-wabas.ts'

const path = '/admin/orgs/{orgId}' as const
const org = { path, tags: ['orgs'], params: { orgId: partId }, errors: ADMIN_ERRORS }

const orgs = [
  defineAdminEndpoint({
    ...org,
    ...{ method: 'get', operationId: 'get-org', summary: 'Get an org' },
    responses: { 200: { description: 'The org with its settings, WABAs and numbers', schema: OrgDto } },
    handler: async ({ db, params: { orgId } }) => ({ status: 200, body: await describeOrg(db, orgId) }),
  }),
  defineAdminEndpoint({
    ...org,
    ...{ method: 'put', operationId: 'put-org', summary: 'Create or change an org' },
    description: 'The body is an org of the provision file without its id\n- What is left out is kept.',
    body: z.strictObject(ORG),
    example: { body: { name: 'Acme', settings: { inactivity_days: 30 } } },
    responses: { 200: { description: 'The org as it is now', schema: OrgDto } },
    handler: async ({ db, params: { orgId }, body, actor, secretsKey }) => {
      await provisionOne(db, toWanted({ id: orgId, ...body }), { secretsKey, actor })
      return { status: 200, body: await describeOrg(db, orgId) }
    },
  }),
]

const wabas = partEndpoints({
  kind: 'wabas',
  fields: PARTS.waba,
  example: { name: 'Acme India', access_token: 'EAA...' },
  wanted: (id, body) => ({ wabas: [{ id, ...body }] }),
  ...{ dto: WabaDto, read: describeWaba, listDto: WabaListDto },
  list: async (db, orgId) => ({ wabas: await listWabas(db, orgId) }),
  ...{ remove: removeWaba, removal: 'Only a WABA without numbers can be removed.' },
})

const numbers = partEndpoints({
  kind: 'numbers',
  fields: { waba_id: partId.optional(), ...PARTS.number },
  example: { waba_id: '102290129340398', display_phone_number: '+91 98100 00000' },
  wanted: (id, { waba_id: wabaId, ...body }) => ({ numbers: [{ id, wabaId, ...body }] }),
  ...{ dto: NumberDto, read: describeNumber, listDto: NumberListDto },
  list: async (db, orgId) => ({ numbers: await listNumbers(db, orgId) }),
  ...{
    remove: removeNumber,
    removal: 'Only a number without chatrooms, contacts and messages can be removed.',
  },
})

const users = partEndpoints({
  kind: 'users',
  fields: PARTS.user,
  example: { email: 'asha@acme.example', name: 'Asha' },
  wanted: (id, body) => ({ users: [{ id, ...body }] }),
  ...{ dto: UserDto, listDto: UserListDto },
  read: async (db, orgId, id) => oneOf(await readUsers(db, orgId, { id }), 'USER_NOT_FOUND'),
  list: async (db, orgId, page) => {
    const found = await readUsers(db, orgId, page)
    return { users: found, next_after: nextAfter(found, page, ({ id }) => id) }
  },
  remove: (db, { orgId, id, actor }) => removeUser(db, orgId, id, actor),
  removal: "The user's chatrooms go to the org's delegate, or to nobody; pending handovers are cancelled.",
})

const groups = partEndpoints({
  kind: 'groups',
  fields: PARTS.group,
  example: { name: 'Sales', members: ['asha'] },
  wanted: (id, body) => ({ groups: [{ id, ...body }] }),
  ...{ dto: GroupDto, listDto: GroupListDto },
  read: async (db, orgId, id) => oneOf(await readGroups(db, orgId, { id }), 'GROUP_NOT_FOUND'),
  list: async (db, orgId, page) => {
    const found = await readGroups(db, orgId, page)
    return { groups: found, next_after: nextAfter(found, page, ({ id }) => id) }
  },
  ...{ remove: removeGroup, removal: 'Its members keep their chatrooms.' },
})

const affiliates = partEndpoints({
  kind: 'affiliates',
  fields: PARTS.affiliate,
  example: { phone: '+919810000000', remote_phone_id: '106540352242922' },
  wanted: (crm_id, body) => ({ affiliates: [{ crm_id, ...body }] }),
  ...{ dto: AffiliateDto, listDto: AffiliateListDto },
  read: async (db, orgId, id) => oneOf(await readAffiliates(db, orgId, { id }), 'CONTACT_NOT_FOUND'),
  list: async (db, orgId, page) => {
    const found = await readAffiliates(db, orgId, page)
    return { affiliates: found, next_after: nextAfter(found, page, ({ crm_id }) => crm_id) }
  },
  ...{
    remove: removeAffiliate,
    removal: 'The contact and its chatroom stay, as those of an ordinary contact.',
  },
})

/** Orgs and their parts. */
export const provisioningEndpoints: AdminEndpoint[] = [
  ...orgs,
  ...wabas,
  ...numbers,
  ...users,
  ...groups,
  ...affiliates,
]
