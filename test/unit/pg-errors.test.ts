import { expect, it } from 'vitest'
import { isMisconfigured, isUnreachable } from '../../src/db/pg-errors.ts'

const error = (code: string, message: string) => Object.assign(new Error(message), { code })

it.each([
  ['08P01', 'unsupported startup parameter: options'],
  ['08P01', "RDS Proxy currently doesn't support command-line options"],
  ['08P01', 'no such user: usher'],
  ['28P01', 'password authentication failed'],
  ['3D000', 'database "x" does not exist'],
])('%s %s is a mistake of the configuration, not a database that is away', (code, message) => {
  expect(isMisconfigured(error(code, message))).toBe(true)
  expect(isUnreachable(new Error('wrapped', { cause: error(code, message) }))).toBe(false)
})

it.each([
  ['08P01', 'server conn crashed?'],
  ['08P01', 'query_wait_timeout'],
  ['57P01', 'terminating connection due to administrator command'],
])('%s %s is a database that is away', (code, message) => {
  expect(isMisconfigured(error(code, message))).toBe(false)
  expect(isUnreachable(error(code, message))).toBe(true)
})
