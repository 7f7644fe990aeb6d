import { queryString } from '../ui/format.ts'

export const TEAM_PATH = '/console/team'

/** What the page Team shows: the chatrooms of one group, or of one user, or all of an org. */
export type TeamQuery = {
  org?: string | undefined
  group?: string | undefined
  user?: string | undefined
  before?: string | undefined
}

/** The address of the page Team for this query. */
export function teamPath({ org, group, user, before }: TeamQuery): string {
  return TEAM_PATH + queryString({ org, group, user, before })
}
