import auth from 'basic-auth'
import type { Request, Response } from 'express'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import { type BasicLogin, isLogin } from './credentials.ts'
import { createGuessLimit } from './guess-limit.ts'
import type { Person } from './person.ts'

const MAX_GUESSES = 10

/**
 * Recognizes the one person of basic auth, who is an operator; undefined without the right name and password. After 10
 * wrong passwords in a minute, the returned function throws RATE_LIMITED for an address, whatever it sends.
 */
export function createBasicAuth(
  login: BasicLogin,
  log: Logger,
): (req: Request, res: Response) => Person | undefined {
  const guesses = createGuessLimit(MAX_GUESSES)
  const warn = oncePerSecond(log)
  return (req, res) => {
    const address = addressOf(req)
    refuseGuesser(guesses.secondsLeft(address), res)
    const given = auth(req)
    if (given === undefined) return undefined
    if (isLogin(login, given.name, given.pass))
      return { name: login.user, role: 'operator', orgs: undefined, hasSession: false }
    const count = guesses.count(address)
    warn(undefined, 'a login with a wrong password was refused', { address, guesses: count })
    return undefined
  }
}

/** The address that a request comes from: that of the proxy, where there is one in front. */
export function addressOf(req: Request): string {
  return req.socket.remoteAddress ?? ''
}

function refuseGuesser(seconds: number, res: Response): void {
  if (seconds === 0) return
  res.set('retry-after', String(seconds))
  throw new ApiError('RATE_LIMITED', `Too many wrong passwords. Try again in ${seconds} s.`)
}
