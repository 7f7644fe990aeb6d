import { z } from 'zod'
import type { Db } from '../db/client.ts'
import { type AdminEndpoint, defineAdminEndpoint } from '../http/admin-endpoint.ts'
import { type Page, pageQuery } from './dtos.ts'
import { provisionOne } from './provision.ts'
import { partId, type WantedOrg } from './provision-parts.ts'
import { readOrg } from './read-org.ts'

export const ADMIN_ERRORS = {
  401: 'A token of ADMIN_TOKEN, a JWT of the role OPERATOR, or a login is required',
  403: 'The caller may not do this, or not in this org; or nothing may be changed (OPS_READ_ONLY)',
  404: 'There is no such org, or no such part of it',
  409: 'This belongs to another org, is in use, or collides with something else',
  422: 'Required fields are missing or invalid values are provided',
  429: 'Too many wrong passwords from this address',
  500: 'Internal Exception',
  503: 'The clock of this server is wrong, it has no SECRETS_KEY, or the database is busy',
}

/** A kind of parts of an org, such as users. */
type Part<Shape extends z.core.$ZodShape> = {
  /** The last part of the path. */
  kind: string
  /** The fields of PUT. */
  fields: Shape
  example: z.input<z.ZodObject<Shape>>
  wanted: (id: string, body: z.output<z.ZodObject<Shape>>) => Omit<WantedOrg, 'id'>
  dto: z.ZodType
  read: (db: Db, orgId: string, id: string) => Promise<unknown>
  listDto: z.ZodType
  list: (db: Db, orgId: string, page: Page) => Promise<unknown>
  remove: (db: Db, part: { orgId: string; id: string; actor: string }) => Promise<unknown>
  /** What becomes of that which belonged to the part. */
  removal: string
}

const params = { orgId: partId, id: partId }

/** The four endpoints of a kind of parts: a list, one, PUT and DELETE. */
export function partEndpoints<Shape extends z.core.$ZodShape>(part: Part<Shape>): AdminEndpoint[] {
  return [...readingEndpoints(part), ...changingEndpoints(part)]
}

function readingEndpoints<Shape extends z.core.$ZodShape>(part: Part<Shape>): AdminEndpoint[] {
  const { kind, dto, listDto } = part
  const common = { method: 'get' as const, tags: [kind], errors: ADMIN_ERRORS }
  return [
    defineAdminEndpoint({
      ...common,
      ...{ path: `/admin/orgs/{orgId}/${kind}`, operationId: `list-${kind}` },
      summary: `List the ${kind} of an org`,
      params: { orgId: partId },
      query: pageQuery,
      responses: { 200: { description: 'In the order of their ids', schema: listDto } },
      handler: async ({ db, params: { orgId }, query }) => {
        await readOrg(db, orgId)
        return { status: 200, body: await part.list(db, orgId, query) }
      },
    }),
    defineAdminEndpoint({
      ...common,
      ...{ path: `/admin/orgs/{orgId}/${kind}/{id}`, operationId: `get-${kind}` },
      summary: `Get one of the ${kind} of an org`,
      params,
      responses: { 200: { description: 'As it is now', schema: dto } },
      handler: async ({ db, params: { orgId, id } }) => ({
        status: 200,
        body: await part.read(db, orgId, id),
      }),
    }),
  ]
}

function changingEndpoints<Shape extends z.core.$ZodShape>(part: Part<Shape>): AdminEndpoint[] {
  const { kind, dto } = part
  const path = `/admin/orgs/{orgId}/${kind}/{id}` as const
  return [
    defineAdminEndpoint({
      ...{ method: 'put', path, operationId: `put-${kind}`, tags: [kind], errors: ADMIN_ERRORS },
      summary: `Create or change one of the ${kind} of an org`,
      description: 'What is left out is kept.',
      params,
      body: z.strictObject(part.fields),
      example: { body: part.example },
      responses: { 200: { description: 'As it is now', schema: dto } },
      handler: async ({ db, params: { orgId, id }, body, actor, secretsKey }) => {
        await provisionOne(db, { id: orgId, ...part.wanted(id, body) }, { secretsKey, actor })
        return { status: 200, body: await part.read(db, orgId, id) }
      },
    }),
    defineAdminEndpoint({
      ...{ method: 'delete', path, operationId: `delete-${kind}`, tags: [kind], errors: ADMIN_ERRORS },
      summary: `Remove one of the ${kind} of an org`,
      description: part.removal,
      params,
      responses: { 204: { description: 'It is removed' } },
      handler: async ({ db, params: { orgId, id }, actor }) => {
        await part.remove(db, { orgId, id, actor })
        return { status: 204 }
      },
    }),
  ]
}
