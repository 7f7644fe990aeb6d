import type { AdminEndpoint } from '../src/http/admin-endpoint.ts'
import { orgDeletionEndpoints } from '../src/org-deletion/routes.ts'
import { provisioningEndpoints } from '../src/orgs/admin-routes.ts'

/** The provisioning API of the internal listener. */
export const ADMIN_ENDPOINTS: AdminEndpoint[] = [...provisioningEndpoints, ...orgDeletionEndpoints]
