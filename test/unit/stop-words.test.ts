import { expect, it } from 'vitest'
import { isStop } from '../../src/consent/stop-words.ts'

const WORDS = ['STOP', 'opt out', 'नहीं', 'Прекратить', '9']
const text = (body: unknown, more = {}) => isStop({ type: 'text', text: { body }, ...more } as object, WORDS)

it.each([
  ...[
    'STOP',
    'stop',
    ' Stop! ',
    '“stop”',
    '*STOP*',
    '\nstop\u200b',
    'ＳＴＯＰ',
    '🛑 stop 🛑',
    'Opt  out.',
    'OPT\nOUT',
  ],
  ...['नहीं', 'ПРЕКРАТИТЬ', '9'],
])('the text %j is a stop', (body) => {
  expect(text(body)).toBe(true)
})

it.each([
  ...[
    'stop it, I love it',
    'please don’t stop',
    'nonstop',
    'stop stop',
    's t o p',
    'opt-out',
    '',
    '!',
    '🛑',
    '99',
    'नही',
  ],
  `stop${' '.repeat(200)}`,
  null,
  7,
  ['STOP'],
])('the text %j is no stop', (body) => {
  expect(text(body)).toBe(false)
})

it('the button of a template counts, and a message of another type does not', () => {
  expect(isStop({ type: 'button', button: { text: 'Stop' } }, WORDS)).toBe(true)
  expect(isStop({ type: 'image', text: { body: 'stop' } }, WORDS)).toBe(false)
  expect(isStop({ type: 'text', text: null }, WORDS)).toBe(false)
  expect(isStop({}, WORDS)).toBe(false)
})

it('what was forwarded is not the word of the customer, and an answer is', () => {
  expect(text('stop', { context: { forwarded: true } })).toBe(false)
  expect(text('stop', { context: { frequently_forwarded: true } })).toBe(false)
  expect(text('stop', { context: { id: 'wamid.X' } })).toBe(true)
})

it('without stop words no text is a stop', () => {
  expect(isStop({ type: 'text', text: { body: 'stop' } }, [])).toBe(false)
})
