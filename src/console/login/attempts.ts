import type { Request } from 'express'
import { addressOf } from '../../http/basic-login.ts'
import { createGuessLimit } from '../../http/guess-limit.ts'
import type { Logger } from '../../logger.ts'
import type { Logins } from '../../logins/logins.ts'
import type { NewSession } from '../../logins/session.ts'
import { oncePerMinute } from '../../once-per-minute.ts'

/** A session, or why there is none. `retryAfter` is in seconds: there were too many attempts. */
export type Outcome = { session: NewSession } | { session?: undefined; problem: string; retryAfter?: number }

export type Attempt = (req: Request, name: string, password: string) => Promise<Outcome>

const PER_NAME = 10
/** Behind a proxy the people of a company share an address. */
const PER_ADDRESS = 30
const MAX_WAITING = 20
const WRONG = 'The name or the password is wrong.'

/**
 * Limits the attempts to log in, in this process: 10 wrong ones for a name and 30 from an address in a minute. Refused ones
 * are logged once a minute, without a name, because people type passwords there.
 */
export function createAttempts(logIn: Logins['logIn'], log: Logger): Attempt {
  const [byName, byAddress] = [createGuessLimit(PER_NAME), createGuessLimit(PER_ADDRESS)]
  const inTurn = createTurns()
  let lastAddress = ''
  const report = oncePerMinute<string>((reason, count) =>
    log.warn({ reason, count, address: lastAddress }, 'logins were refused'),
  )
  const refuse = (reason: string, problem: string): Outcome => {
    report(reason)
    return { problem }
  }

  return async (req, given, password) => {
    const [name, address] = [given.toLowerCase(), addressOf(req)]
    lastAddress = address
    const seconds = Math.max(
      byName.secondsLeft(name),
      byAddress.secondsLeft(address),
      inTurn.isFull() ? 1 : 0,
    )
    if (seconds > 0)
      return {
        ...refuse('too many attempts', `Too many attempts. Try again in ${seconds} s.`),
        retryAfter: seconds,
      }
    // Counted before the check, so that attempts at the same time count as well.
    byName.count(name)
    byAddress.count(address)
    const session = await inTurn.run(() => logIn(given, password))
    if (session === undefined) return refuse('wrong name or password', WRONG)
    byName.giveBack(name)
    byAddress.giveBack(address)
    return { session }
  }
}

/** Passwords are checked one at a time, because each takes 32 MB and one of the threads that also read files. */
function createTurns() {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  return {
    isFull: () => waiting >= MAX_WAITING,
    run: async <T>(check: () => Promise<T>): Promise<T> => {
      waiting += 1
      const turn = last.then(check).finally(() => {
        waiting -= 1
      })
      last = turn.catch(() => undefined)
      return turn
    },
  }
}
