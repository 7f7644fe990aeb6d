import { SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { ConfigError } from '../config.ts'
import { formatTable } from '../demo/table.ts'
import { type Posted, percentile, postTraffic } from '../simulate/post-traffic.ts'
import { createTraffic } from '../simulate/traffic.ts'

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

/** `simulate`: posts invented, signed traffic as Meta would, to any installation; fails when nothing was taken. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('post realistic signed traffic to an installation: messages, statuses, redeliveries')
    .requiredOption('--url <url>', `of the installation, or of its webhook; ${WEBHOOK} is added`, parseUrl)
    .option('--secret <secret>', 'app secret that signs (default: the first of META_APP_SECRET)')
    .option('--rate <n>', 'deliveries a second', positive, 10)
    .option('--seconds <n>', 'how long', positive, 30)
    .option('--customers <n>', 'how many people write', positive, 100)
    .option('--phone-id <id>', 'number that is written to, of your org file', '106540352242922')
    .option('--waba-id <id>', 'its WABA', '102290129340398')
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
  // Draws nothing where the output is no terminal.
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

/** @throws ConfigError without any */
function secretOf(given: string | undefined): string {
  const secret = given ?? process.env.META_APP_SECRET?.split(',')[0]?.trim()
  if (secret) return secret
  throw new ConfigError('--secret, or META_APP_SECRET, is required: the app secret of that installation')
}

function describe(posted: Posted): string {
  const { deliveries, messages, statuses, redelivered, answers } = posted
  const rows = [...answers].sort().map(([answer, times]) => [answer, String(times), MEANINGS[answer] ?? ''])
  const ms = (share: number) => `${percentile(posted, share)?.toFixed(1)} ms`
  const speed = `Answered within ${ms(0.5)} at the median, ${ms(0.99)} at the 99th percentile.`
  return `
Posted ${deliveries} deliveries, ${redelivered} of them again: ${messages} messages, ${statuses} statuses.

${formatTable(['answer', 'times', ''], rows)}

${posted.times.length > 0 ? speed : 'Nothing answered.'}`
}

const MEANINGS: Record<string, string> = {
  '200': 'stored',
  '401': 'the secret is not one of META_APP_SECRET there',
  '404': 'no Usher at this URL',
  '503': 'could not be stored; Meta would deliver it again',
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new InvalidArgumentError('Give it with its scheme: http://localhost:3000')
  const path = url.pathname.replace(/\/+$/, '')
  if (!path.endsWith(WEBHOOK)) url.pathname = path + WEBHOOK
  return url.href
}

function positive(text: string): number {
  const n = Number(text)
  if (Number.isFinite(n) && n > 0) return n
  throw new InvalidArgumentError('Give a number above 0.')
}
