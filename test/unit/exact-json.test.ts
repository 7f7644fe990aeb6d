import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ExactNumber, parseExact, stringifyExact } from '../../src/webhook/exact-json.ts'

const again = (text: string) => stringifyExact(parseExact(text))

it.each([
  '[123456789012345677,123456789012345679]',
  '{"id":123456789012345677,"name":"order_update"}',
  '{"a":-98765432109876543210,"b":1.2345678901234567891}',
  '{"huge":1e400,"tiny":1.5e-400}',
  '{"deep":{"list":[[{"id":340282366920938463463374607431768211456}]]}}',
])('numbers that a double would round stay digit for digit: %s', (text) => {
  expect(again(text)).toBe(text)
})

it('ordinary numbers stay numbers', () => {
  expect(parseExact('{"a":9007199254740991,"b":1.5,"c":-0.25}')).toEqual({
    a: 9_007_199_254_740_991,
    b: 1.5,
    c: -0.25,
  })
})

it('digits inside a string are text, also behind an escaped quote', () => {
  const text = '{"body":"order: \\"12345678901234567890\\", 12345678901234567890","n":1}'
  expect(again(text)).toBe(text)
})

it('a text that begins like the mark of a number stays a text', () => {
  const text =
    '["exact number 0: 1","\\u0065xact number 1: 2",12345678901234567890,"exact number 2: 12345678901234567890"]'
  const value = parseExact(text) as unknown[]
  expect(value.map((item) => item instanceof ExactNumber)).toEqual([false, false, true, false])
  expect(value[1]).toBe('exact number 1: 2')
})

it('numbers beside and inside of a text that is nested 50,000 deep stay digit for digit', () => {
  const deep = `${'['.repeat(50_000)}12345678901234567890${']'.repeat(50_000)}`
  const { id } = parseExact(`{"id":12345678901234567891,"deep":${deep}}`) as { id: unknown }
  expect(id).toEqual(new ExactNumber('12345678901234567891'))
})

it('a text of a million escapes is passed over', () => {
  const text = `{"body":"${'\\n'.repeat(1_000_000)}","id":12345678901234567891}`
  expect(parseExact(text)).toMatchObject({ id: new ExactNumber('12345678901234567891') })
})

it('whatever JSON comes, parsing and writing it keeps its value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.bigInt({ min: 0n, max: 10n ** 30n }), (value, id) => {
      const text = `{"id":${id},"value":${JSON.stringify(value)}}`
      const back = parseExact(again(text)) as { id: unknown; value: unknown }
      expect([String(back.id), JSON.stringify(back.value)]).toEqual([
        String(id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : id),
        JSON.stringify(value),
      ])
    }),
  )
})
