import { z } from 'zod'
import { type AdminEndpoint, defineAdminEndpoint } from '../http/admin-endpoint.ts'
import { instant } from '../input-fields.ts'
import { ADMIN_ERRORS } from '../orgs/part-routes.ts'
import { partId } from '../orgs/provision-parts.ts'
import { closeOrg } from './close-org.ts'
import { describeDeletion } from './describe-deletion.ts'

const OrgDeletionDto = z
  .object({
    org_id: z.string(),
    state: z.enum(['running', 'finished']),
    requested_by: z.string(),
    requested_at: instant,
    last_step_at: instant.meta({
      description: 'A deletion whose process has died is taken up by another one after 15 s.',
    }),
    finished_at: instant.nullable(),
    rows_deleted: z.int(),
    tables_done: z.int().meta({ description: 'So many tables have no row of the org any more.' }),
    tables: z.int().nullable().meta({ description: 'Of so many; null before the first step.' }),
  })
  .meta({ id: 'OrgDeletionDto' })

/** In the body, or in the query, because some proxies drop the body of a DELETE. */
const confirm = z
  .string()
  .optional()
  .meta({ description: 'The name of the org, as it is; it is needed once.' })

const common = { tags: ['orgs'], params: { orgId: partId }, errors: ADMIN_ERRORS }

/** Deleting an org, and asking how far that is. */
export const orgDeletionEndpoints: AdminEndpoint[] = [
  defineAdminEndpoint({
    ...common,
    ...{ method: 'delete', path: '/admin/orgs/{orgId}', operationId: 'delete-org' },
    summary: 'Delete an org with everything that belongs to it',
    description:
      'The org is closed at once: its API answers ORG_IS_BEING_DELETED, its deliveries are parked, nothing is sent\n- Its rows are deleted in the background, and cannot be brought back',
    query: z.object({ confirm }),
    bodyRequired: false,
    body: z.strictObject({ confirm }),
    example: { body: { confirm: 'Acme' } },
    responses: { 202: { description: 'The deletion, which goes on', schema: OrgDeletionDto } },
    handler: async ({ db, params: { orgId }, query, body, actor }) => {
      await closeOrg(db, { orgId, confirm: body.confirm ?? query.confirm, actor })
      return { status: 202, body: await describeDeletion(db, orgId) }
    },
  }),
  defineAdminEndpoint({
    ...common,
    ...{ method: 'get', path: '/admin/orgs/{orgId}/deletion', operationId: 'get-org-deletion' },
    summary: 'Ask how far the deletion of an org is',
    description: 'Also when the org is gone, for 30 days.',
    responses: { 200: { description: 'The latest deletion of an org with this id', schema: OrgDeletionDto } },
    handler: async ({ db, params: { orgId } }) => ({ status: 200, body: await describeDeletion(db, orgId) }),
  }),
]
