import { DrizzleQueryError } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'

const CANARY = 'CANARY-7f3a'

function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = []
  write(createLogger({ logLevel: 'trace' }, { write: (line: string) => void lines.push(line) }))
  return lines.join('')
}

it('a log line is one line of JSON with the given fields', () => {
  expect(JSON.parse(logged((log) => log.info({ delivery: 7 }, 'routed')))).toMatchObject({
    delivery: 7,
    msg: 'routed',
  })
})

it.each([
  ['a token', { token: CANARY }],
  ['a nested password', { login: { password: CANARY } }],
  ['an access token of a list', { wabas: { first: { access_token: CANARY } } }],
  ['a header', { req: { headers: { authorization: `Bearer ${CANARY}` } } }],
  ['a body', { body: CANARY }],
  ['a payload', { message: { payload: { text: CANARY } } }],
])('a log line does not contain %s', (_, value) => {
  expect(logged((log) => log.error(value, 'x'))).not.toContain(CANARY)
})

it('a log line has code and constraint of a database error, without the values of rows and statements', () => {
  const cause = Object.assign(new Error('duplicate key'), {
    code: '23505',
    constraint: 'messages_pkey',
    detail: CANARY,
  })
  const text = logged((log) => log.error({ err: new DrizzleQueryError('insert', [CANARY], cause) }, 'x'))
  expect(text).not.toContain(CANARY)
  expect(text).toContain('23505')
  expect(text).toContain('messages_pkey')
})
