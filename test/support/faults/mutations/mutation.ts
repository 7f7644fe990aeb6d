import type { Rule } from '../checks/rules.ts'
import type { Oddities } from '../lab/content.ts'
import type { Edit } from './mutant.ts'
import type { Scenario } from './scenarios.ts'

/**
 * One guard that is taken away, what puts it to the test, and the rule that must be found violated then; any of several where
 * it is a matter of chance which.
 */
export type Mutation = {
  guard: string
  edits: Edit[]
  /** Constraints of the database that are dropped. */
  sql?: string[]
  scenario: Scenario
  violates: Rule | Rule[]
  oddities?: Partial<Oddities>
  /** Share of the sends whose statuses are reported; default: all. */
  statuses?: number
  /** Each org has a webhook endpoint. */
  hasEndpoints?: true
  /** Own variables of each worker; default: one worker without any. */
  workerEnv?: Record<string, string>[]
}

/** Only messages to expired chatrooms. */
export const ONLY_RETURNERS: Partial<Oddities> = { returner: 1, burst: 0, ghost: 0, forged: 0, repeat: 0 }
export const ONLY_BURSTS: Partial<Oddities> = { burst: 1 }
