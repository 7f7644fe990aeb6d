import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { parseTimestamp, TYPES } from '../../src/db/parse-timestamp.ts'

const TIMESTAMPTZ = 1184
const ofLibrary = pg.types.getTypeParser(TIMESTAMPTZ)

describe('a time that PostgreSQL gives is read as the pg library reads it', () => {
  it.each([
    '2026-11-26 18:04:09+00',
    '2026-11-26 18:04:09.1+00',
    '2026-11-26 18:04:09.12+00',
    '2026-11-26 18:04:09.123+00',
    '2026-11-26 18:04:09.1239+00',
    '2026-11-26 18:04:09.000999+00',
    '2024-02-29 23:59:59.999999+00',
    '1000-01-01 00:00:00+00',
    '9999-12-31 23:59:59.999+00',
    '0099-01-01 00:00:00+00',
    '0001-01-01 00:00:00+00 BC',
    '12026-11-26 18:04:09.5+00',
    '2026-11-26 18:04:09.123+05:30',
    '2026-11-26 18:04:09.123-03',
    '2026-11-26 18:04:09.123+05:00',
    '1901-01-01 00:00:00+00:19:32',
    'infinity',
    '-infinity',
  ])('%s', (text) => {
    expect(parseTimestamp(text)).toEqual(ofLibrary(text))
  })

  it('at each millisecond of some days, from year to year', () => {
    for (let ms = Date.UTC(1969, 11, 31); ms < Date.UTC(2060, 0, 1); ms += 86_399_987 * 7) {
      const text = new Date(ms).toISOString().replace('T', ' ').replace('Z', '+00')
      expect(parseTimestamp(text)).toEqual(new Date(ms))
    }
  })

  it('and all other values too', () => {
    expect(TYPES.getTypeParser(TIMESTAMPTZ)).toBe(parseTimestamp)
    expect(TYPES.getTypeParser(TIMESTAMPTZ, 'binary')).toBe(pg.types.getTypeParser(TIMESTAMPTZ, 'binary'))
    expect(TYPES.getTypeParser(20)).toBe(pg.types.getTypeParser(20))
  })
})
