import { parseArgs } from 'node:util'
import { VARIANTS } from './variants.ts'

export type Name = keyof typeof VARIANTS | 'sql'

export type Options = {
  rooms: number
  rounds: number
  /** Length of one measurement. */
  seconds: number
  connections: number
  /** Requests a second when latencies are measured. */
  rate: number
  /** Worker processes of the variants that run apart. */
  workers: number
  only: Name[]
  /** A file, or `STDOUT`; undefined: tables on the standard output. */
  json: string | undefined
  /** How the database compares text; undefined: by bytes. */
  locale: string | undefined
  forget: boolean
}

export type Engine = 'redis' | 'postgres'

/**
 * The engines named in `words`, separated by commas.
 * @throws Error with a line for the user.
 */
export function readEngines(words: string): Engine[] {
  return words.split(',').map((engine) => {
    if (engine !== 'redis' && engine !== 'postgres') throw new Error('--engines must be redis or postgres')
    return engine
  })
}

/** As the file of `--json`: the object goes to the standard output, and nothing else does. */
export const STDOUT = '-'

const NAMES = [...(Object.keys(VARIANTS) as (keyof typeof VARIANTS)[]), 'sql' as const]
const DEFAULT: Name[] = [
  'redis',
  'postgres',
  'postgres-one',
  'plain',
  'plain-durable',
  'sql',
  'express',
  'http',
]

export const HELP = `npm run bench -- [--rooms 1000000] [--rounds 5] [--seconds 10] [--connections 128] [--rate 2000]
  [--workers 1] [--locale en_US.UTF-8] [--only ${NAMES.join(',')}] [--json [FILE]] [--forget]
--only: ${DEFAULT.join(',')} unless given; --forget: first delete the databases kept from earlier runs`

/**
 * `--json` without a file stands for the standard output.
 * @throws Error with a line for the user.
 */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args: args.map((arg, i) => (arg === '--json' && !isValue(args[i + 1]) ? `--json=${STDOUT}` : arg)),
    options: {
      rooms: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '10' },
      connections: { type: 'string', default: '128' },
      rate: { type: 'string', default: '2000' },
      workers: { type: 'string', default: '1' },
      only: { type: 'string', default: DEFAULT.join(',') },
      json: { type: 'string' },
      locale: { type: 'string' },
      forget: { type: 'boolean', default: false },
    },
  })
  return {
    rooms: positive('rooms', values.rooms),
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    connections: positive('connections', values.connections),
    rate: positive('rate', values.rate),
    workers: positive('workers', values.workers),
    only: values.only.split(',').map(nameOf),
    json: values.json,
    locale: values.locale,
    forget: values.forget,
  }
}

const isValue = (word: string | undefined) => word !== undefined && !word.startsWith('--')

function positive(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number above 0`)
  return number
}

function nameOf(word: string): Name {
  const name = NAMES.find((n) => n === word.trim())
  if (!name) throw new Error(`--only: "${word}" is none of ${NAMES.join(', ')}`)
  return name
}
