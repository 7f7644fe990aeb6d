import { expect, it } from 'vitest'
import { ASKS_NOTHING, followWaitsSql, startWaitsSql } from '../../src/rules/waiting.ts'

it('what customers only react to, edit or revoke starts no wait for an answer, nor does a system message', () => {
  const listed = /type not in \(([^)]*)\)/.exec(followWaitsSql('stored', '$1'))?.[1]
  expect(listed?.replaceAll("'", '').split(', ')).toEqual(['system', ...ASKS_NOTHING])
})

it('held messages start the wait of active chatrooms only', () => {
  expect(startWaitsSql('attached')).toContain("r.state = 'active'")
})
