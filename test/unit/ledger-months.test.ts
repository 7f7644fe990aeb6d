import { describe, expect, it } from 'vitest'
import { canHaveStatusSql, findSentSql } from '../../src/rules/find-sent.ts'
import {
  isLaterSql,
  isOfSendSql,
  monthsOfMessage,
  monthsOfNamed,
  type Span,
  spanOfAll,
} from '../../src/rules/ledger-months.ts'

const daysOf = ({ since, until }: Span) => [since, until].map((at) => at.toISOString().slice(0, 10))

describe('the months in which the ledger can have a message', () => {
  it.each([
    ['2026-11-15T12:00:00Z', ['2026-11-01', '2026-12-01'], 'its own, in the middle of a month'],
    ['2026-11-03T12:00:00Z', ['2026-10-01', '2026-12-01'], 'the month before too, in the first week'],
    ['2026-12-30T12:00:00Z', ['2026-12-01', '2027-02-01'], 'the month after too, in the last week'],
    ['2027-01-01T00:00:00Z', ['2026-12-01', '2027-02-01'], 'across the end of a year'],
    ['2024-02-29T23:59:59Z', ['2024-02-01', '2024-04-01'], 'around a leap day'],
    ['1970-01-01T00:00:01Z', ['1969-12-01', '1970-02-01'], 'at the beginning of time'],
  ])('%s: %s, %s', (at, months) => {
    expect(daysOf(monthsOfMessage(new Date(at)))).toEqual(months)
  })

  it('a message that a reaction names is in the months of 31 days before it', () => {
    expect(daysOf(monthsOfNamed(new Date('2026-11-15T12:00:00Z')))).toEqual(['2026-10-01', '2026-12-01'])
    expect(daysOf(monthsOfNamed(new Date('2026-03-02T12:00:00Z')))).toEqual(['2026-01-01', '2026-04-01'])
  })

  it('of several messages are all months from the first to the last', () => {
    const spans = ['2026-11-15', '2026-10-15', '2026-12-15'].map((day) => monthsOfMessage(new Date(day)))
    expect(daysOf(spanOfAll(spans))).toEqual(['2026-10-01', '2027-01-01'])
  })

  it('of no message are none', () => {
    const { since, until } = spanOfAll([])
    expect(since).toEqual(until)
  })
})

it('the message of a row of the outbox is looked for around the time of the row', () => {
  expect(isOfSendSql('m.sent_at', 'o.created_at')).toBe(
    `m.sent_at > o.created_at - interval '2 days' and m.sent_at < o.created_at + interval '2 days'`,
  )
})

it('what Usher queued later is looked for from two days before, since the clock may have been set back', () => {
  expect(isLaterSql('r', 'm.sent_at')).toBe(`r.sent_at > m.sent_at - interval '2 days'`)
})

it('a status is looked for among the messages of 100 days, those of the last week first', () => {
  expect(canHaveStatusSql('m')).toContain(`m.sent_at > now() - interval '100 days'`)
  const sql = findSentSql('s', 'f')
  expect(sql.indexOf('7 days')).toBeLessThan(sql.indexOf('100 days'))
  expect(sql).toMatch(/^lateral \([\s\S]*limit 1\) f$/)
})
