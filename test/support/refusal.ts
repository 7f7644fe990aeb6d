import { expect } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import type { ApiError } from '../../src/errors.ts'
import { fingerprint } from './leads.ts'
import type { TestOrg } from './org.ts'

/** The error that `work` is refused with; fails when `work` succeeds or changes anything of the org. */
export async function refusalOf(db: Db, org: TestOrg, work: () => Promise<unknown>): Promise<ApiError> {
  const { error, status, payload } = await unchanged(db, org, () => work().then(failUnexpected, (e) => e))
  return { error, status, payload } as ApiError
}

/** The result of `work`; fails when `work` changes anything of the org. */
export async function unchanged<T>(db: Db, org: TestOrg, work: () => Promise<T>): Promise<T> {
  const before = await fingerprint(db, org.id)
  const result = await work()
  expect(await fingerprint(db, org.id)).toBe(before)
  return result
}

function failUnexpected(): never {
  throw new Error('this was expected to be refused')
}

/** The message of the error that `work` fails with. */
export async function refusalMessageOf(work: () => Promise<unknown>): Promise<string> {
  return work().then(failUnexpected, (error: Error) => error.message)
}
