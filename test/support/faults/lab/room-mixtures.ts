import type { TestRoom } from '../../org.ts'
import type { Random } from '../random.ts'
import { LIFECYCLE_DAYS } from './orgs.ts'

/** The times of a chatroom, from which its state follows. */
export type Room = Omit<TestRoom, 'phone' | 'customer'>

const DAY_MS = 86_400_000

const ago = (ms: number) => new Date(Date.now() - ms)
const daysAgo = (days: number, random: Random) => ago(days * DAY_MS + random.int(0, DAY_MS / 2))

export function expiredRoom(random: Random): Room {
  return {
    createdAt: daysAgo(60, random),
    activatedAt: daysAgo(60, random),
    expiredAt: daysAgo(20, random),
  }
}

/**
 * The chatrooms that a customer may have at a number: none, or any mixture of states that the rules allow. Those of
 * two mixtures reach the end of their time within `lifecycleWithinMs` from now.
 */
export function roomMixtures(random: Random, lifecycleWithinMs: number): (() => Room[])[] {
  const active = (): Room => ({ createdAt: daysAgo(9, random), activatedAt: daysAgo(8, random) })
  const deactivated = (): Room => ({ ...active(), deactivatedAt: daysAgo(3, random) })
  const expired = () => expiredRoom(random)
  /** A time so long ago that the lifecycle's number of days is over soon. */
  const almostOver = () => ago(LIFECYCLE_DAYS * DAY_MS - random.int(0, lifecycleWithinMs))
  const aboutToExpire = (): Room => ({ ...active(), createdAt: almostOver(), contactCreatedAt: almostOver() })
  const aboutToBecomeInactive = (): Room => ({
    createdAt: daysAgo(29, random),
    contactCreatedAt: daysAgo(2, random),
    activatedAt: almostOver(),
  })
  return [
    () => [],
    () => [active()],
    () => [deactivated()],
    () => [deactivated(), deactivated()],
    () => [active(), deactivated(), expired()],
    () => [deactivated(), expired()],
    () => [aboutToExpire()],
    () => [aboutToBecomeInactive()],
  ]
}
