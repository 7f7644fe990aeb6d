import { Command, InvalidArgumentError } from 'commander'
import { Webhook } from 'standardwebhooks'
import { ConfigError } from '../config.ts'
import { describeArrival } from '../event-listener/describe-arrival.ts'
import { type Arrival, type EventListener, startEventListener } from '../event-listener/start-listener.ts'

type Options = { host: string; port: number; secret: string; json: boolean }

/** `webhooks:listen`: receives the events of a webhook endpoint and prints them, until it is interrupted. */
export function webhooksListenCommand(): Command {
  return new Command('webhooks:listen')
    .description('receive the events of a webhook endpoint, verify their signatures, and print them')
    .requiredOption('--secret <secret>', 'secret of the endpoint: whsec_...', parseSecret)
    .option('--port <n>', 'port to listen on; 0: any free one', parsePort, 4000)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--json', 'print each event whole, also what people wrote', false)
    .action(async (options: Options) => {
      const listener = await start(options)
      console.log(`Events are received at ${listener.url}, until you press Ctrl+C.`)
      await isInterrupted()
      listener.stop()
    })
}

/** @throws ConfigError for a port that is taken, or an address that this machine does not have */
async function start({ host, port, secret, json }: Options): Promise<EventListener> {
  const print = (arrival: Arrival) =>
    console.log(json && arrival.event ? JSON.stringify(arrival.event) : describeArrival(arrival))
  try {
    return await startEventListener({ host, port, secret: () => secret, onArrival: print })
  } catch (error) {
    throw new ConfigError(`port ${port} of ${host} cannot be used: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function isInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

function parseSecret(text: string): string {
  try {
    new Webhook(text)
    return text
  } catch {
    throw new InvalidArgumentError('Give the secret as the API gave it: whsec_ and base64.')
  }
}

function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('Give a whole number up to 65535.')
}
