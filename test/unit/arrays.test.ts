import { describe, expect, it } from 'vitest'
import { textArray, timestamptzArray } from '../../src/db/arrays.ts'

describe('a binary array', () => {
  it('has a header, and each element behind its length in bytes', () => {
    expect(textArray(['é', '']).toString('hex')).toBe(
      '00000001' + '00000000' + '00000019' + '00000002' + '00000001' + '00000002' + 'c3a9' + '00000000',
    )
  })

  it('is marked if it has nulls, which have the length -1', () => {
    const bytes = textArray([null, undefined])
    expect(bytes.readInt32BE(4)).toBe(1)
    expect(bytes.subarray(20).toString('hex')).toBe('ffffffffffffffff')
  })

  it('has times in microseconds since 2000, negative before', () => {
    const micros = (date: Date) => timestamptzArray([date]).readBigInt64BE(24)
    expect(micros(new Date('2026-11-22T01:02:03.004Z'))).toBe(848_624_523_004_000n)
    expect(micros(new Date('1999-12-31T23:59:59.999Z'))).toBe(-1_000n)
  })
})
