import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sign, signatureMatches, wordsMatch } from '../../src/http/signature.ts'

const SECRET = 'test_app_secret'
const BODY = Buffer.from('{"object":"whatsapp_business_account","entry":[]}')
const SPACED = Buffer.from('{"object": "whatsapp_business_account", "entry": []}')
const HEX = 'dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756'

const bytes = fc.uint8Array({ maxLength: 300 }).map((a) => Buffer.from(a))
const secret = fc.string({ minLength: 1 })

describe('the signature of a webhook', () => {
  test.each([
    [BODY, SECRET, HEX],
    [SPACED, SECRET, '56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a'],
    [BODY, 'otro_secreto', '769b03d8c2ae6498f2d1e1f7299c0ba55448c69d741e7b0bb243d852d8a8d8c7'],
  ])('is HMAC-SHA256 of the raw bytes with the app secret (vector %#)', (body, key, hex) => {
    expect(sign(body, key)).toBe(`sha256=${hex}`)
    expect(signatureMatches(body, `sha256=${hex}`, [key])).toBe(true)
  })

  test('matches any bytes, also invalid text', () => {
    fc.assert(
      fc.property(bytes, secret, (body, key) => {
        expect(signatureMatches(body, sign(body, key), [key])).toBe(true)
      }),
    )
  })

  test('matches with any one of several secrets, at any place in the list', () => {
    fc.assert(
      fc.property(bytes, secret, fc.array(secret), fc.array(secret), (body, key, before, after) => {
        expect(signatureMatches(body, sign(body, key), [...before, key, ...after])).toBe(true)
      }),
    )
  })

  test('does not match with another secret or without one', () => {
    fc.assert(
      fc.property(bytes, secret, secret, (body, key, other) => {
        // A key shorter than a block is padded with zeros: 'a' and 'a\0' are one key to HMAC.
        fc.pre(key.replace(/\0+$/, '') !== other.replace(/\0+$/, ''))
        expect(signatureMatches(body, sign(body, key), [other])).toBe(false)
        expect(signatureMatches(body, sign(body, key), [])).toBe(false)
      }),
    )
  })

  test('does not match when one bit of the body is flipped', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.nat({ max: 7 }),
        (array, at, bit) => {
          const body = Buffer.from(array)
          const header = sign(body, SECRET)
          const place = at % body.length
          body.writeUInt8(body.readUInt8(place) ^ (1 << bit), place)
          expect(signatureMatches(body, header, [SECRET])).toBe(false)
        },
      ),
    )
  })

  test('does not match when one bit of the signature is flipped', () => {
    for (let bit = 0; bit < 256; bit += 1) {
      const digest = Buffer.from(HEX, 'hex')
      digest.writeUInt8(digest.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(signatureMatches(BODY, `sha256=${digest.toString('hex')}`, [SECRET])).toBe(false)
    }
  })

  test('does not match a body that was parsed and serialized again', () => {
    expect(signatureMatches(SPACED, `sha256=${HEX}`, [SECRET])).toBe(false)
  })

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['without its prefix', HEX],
    ['of the older kind', `sha1=${HEX}`],
    ['with a prefix in upper case', `SHA256=${HEX}`],
    ['in upper case', `sha256=${HEX.toUpperCase()}`],
    ['one digit short', `sha256=${HEX.slice(1)}`],
    ['one digit long', `sha256=${HEX}0`],
    ['nothing but a prefix', 'sha256='],
    ['not hexadecimal', `sha256=${HEX.slice(0, 63)}g`],
    ['padded', ` sha256=${HEX} `],
    ['followed by a line', `sha256=${HEX}\n`],
    ['sent twice', `sha256=${HEX}, sha256=${HEX}`],
    ['a list', [`sha256=${HEX}`]],
  ])('does not match when the header is %s', (_what, header) => {
    expect(signatureMatches(BODY, header, [SECRET])).toBe(false)
  })

  test('does not match, and does not throw, for any other header', () => {
    // The unit `binary` of fast-check covers the same, but takes seconds to build.
    const character = fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: character }), fc.array(fc.string())), (header) => {
        expect(signatureMatches(BODY, header, [SECRET])).toBe(false)
      }),
    )
  })
})

describe('two secret words', () => {
  test('match if and only if they are the same', () => {
    const word = fc.string({ unit: 'grapheme' })
    fc.assert(fc.property(word, word, (a, b) => wordsMatch(a, b) === (a === b)))
    fc.assert(fc.property(word, (a) => wordsMatch(a, a)))
  })

  test('of different lengths do not match and do not throw', () => {
    expect(wordsMatch('token', 'token ')).toBe(false)
    expect(wordsMatch('', 'token')).toBe(false)
  })
})
