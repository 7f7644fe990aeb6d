import type { ROUTES } from '../../db/schema/index.ts'
import { queryString } from '../ui/format.ts'
import type { PageQuery } from '../ui/page-query.ts'

/** Which messages the feed shows; all of its fields but `orgIds` are in the address of the page. */
export type FeedFilter = {
  orgId: string | undefined
  /** The orgs that are shown: `orgId`, or those that the person may see; undefined: all. */
  orgIds: readonly string[] | undefined
  /** The id of the WABA phone. */
  number: string | undefined
  decision: (typeof ROUTES)[number] | undefined
  type: string | undefined
}

/** The filter in the address of the page or of its stream, for a person who may see these orgs. */
export function filterOf(
  { org, number, decision, type }: PageQuery,
  visible: readonly string[] | undefined,
): FeedFilter {
  const orgIds = org === undefined ? visible : [org]
  return { orgId: org, orgIds, number, decision: decision || undefined, type }
}

/** The filter as a query string. */
export function toQueryString({ orgId, number, decision, type }: FeedFilter): string {
  return queryString({ org: orgId, number, decision, type })
}

/** True if the filter looks at more than the org: then messages must be searched for. */
export function isSearch({ number, decision, type }: FeedFilter): boolean {
  return Boolean(number ?? decision ?? type)
}
