import type { ROUTES } from '../../db/schema/index.ts'
import { queryString } from '../ui/format.ts'
import type { PageQuery } from '../ui/page-query.ts'

/** Which messages the feed shows; all of its fields are in the address of the page. */
export type FeedFilter = {
  orgId: string | undefined
  /** The id of the WABA phone. */
  number: string | undefined
  decision: (typeof ROUTES)[number] | undefined
  type: string | undefined
}

/** The filter in the address of the page or of its stream. */
export function filterOf({ org, number, decision, type }: PageQuery): FeedFilter {
  return { orgId: org, number, decision: decision || undefined, type }
}

/** The filter as a query string. */
export function toQueryString({ orgId, ...filter }: FeedFilter): string {
  return queryString({ org: orgId, ...filter })
}

/** True if the filter looks at more than the org: then messages must be searched for. */
export function isSearch({ number, decision, type }: FeedFilter): boolean {
  return Boolean(number ?? decision ?? type)
}
