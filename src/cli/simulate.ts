import { SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { ConfigError } from '../config.ts'
import { type Posted, percentile, postTraffic } from '../simulate/post-traffic.ts'
import { createTraffic } from '../simulate/traffic.ts'
import { formatTable } from './table.ts'

type Options = {
  url: string
  secret?: string
  rate: number
  seconds: number
  customers: number
  phoneId: string
  wabaId: string
}

const WEBHOOK = '/webhooks/whatsapp'

/** `simulate`: posts invented, signed traffic to an installation, as Meta would. Fails when no delivery was stored. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('post realistic signed traffic to an installation: messages, statuses, redeliveries')
    .requiredOption(
      '--url <url>',
      `URL of the installation; ${WEBHOOK} is appended if it is missing`,
      parseUrl,
    )
    .option('--secret <secret>', 'app secret to sign with (default: the first of META_APP_SECRET)')
    .option('--rate <n>', 'deliveries per second', positive, 10)
    .option('--seconds <n>', 'duration', positive, 30)
    .option('--customers <n>', 'number of customers who write', positive, 100)
    .option('--phone-id <id>', 'phone_number_id of the number they write to', '106540352242922')
    .option('--waba-id <id>', 'id of its WABA', '102290129340398')
    .action(async (options: Options) => {
      const posted = await run(options)
      console.log(describe(posted))
      if (!posted.answers.has('200')) process.exitCode = 1
    })
}

async function run({ url, secret, rate, seconds, ...people }: Options): Promise<Posted> {
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  process.once('SIGINT', stop)
  const next = createTraffic({ ...people, random: Math.random, now: Date.now })
  // The bar draws nothing when the output is not a terminal.
  const bar = new SingleBar({
    format: '{bar} {value}/{total} answered, {eta_formatted} left',
    hideCursor: true,
  })
  const load = { url, secret: secretOf(secret), rate, seconds, next }
  bar.start(Math.round(rate * seconds), 0)
  try {
    return await postTraffic({ ...load, onAnswer: () => bar.increment(), signal: stopped.signal })
  } finally {
    bar.stop()
    process.off('SIGINT', stop)
  }
}

/** @throws ConfigError when neither the option nor META_APP_SECRET is given */
function secretOf(given: string | undefined): string {
  const secret = given ?? process.env.META_APP_SECRET?.split(',')[0]?.trim()
  if (secret) return secret
  throw new ConfigError('--secret, or META_APP_SECRET, is required: the app secret of the installation')
}

function describe(posted: Posted): string {
  const { deliveries, messages, statuses, redelivered, answers } = posted
  const rows = [...answers].sort().map(([answer, n]) => [answer, String(n), MEANINGS[answer] ?? ''])
  const ms = (share: number) => `${percentile(posted, share)?.toFixed(1)} ms`
  const speed = `Answer times: ${ms(0.5)} at the median, ${ms(0.99)} at the 99th percentile.`
  return `
Posted ${deliveries} deliveries, ${redelivered} of them redeliveries: ${messages} messages, ${statuses} statuses.

${formatTable(['answer', 'count', 'meaning'], rows)}

${posted.times.length > 0 ? speed : 'No delivery was answered.'}`
}

const MEANINGS: Record<string, string> = {
  '200': 'stored',
  '401': 'the secret is not one of META_APP_SECRET of the installation',
  '404': 'there is no Usher at this URL',
  '503': 'not stored; Meta would redeliver it',
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new InvalidArgumentError('Give the URL with its scheme: http://localhost:3000')
  const path = url.pathname.replace(/\/+$/, '')
  if (!path.endsWith(WEBHOOK)) url.pathname = path + WEBHOOK
  return url.href
}

function positive(text: string): number {
  const n = Number(text)
  if (Number.isFinite(n) && n > 0) return n
  throw new InvalidArgumentError('Give a number above 0.')
}
