import { eventually } from '../../patience.ts'
import { type EventReply, takesEvent } from '../lab/event-receiver.ts'
import type { Lab } from '../lab/lab.ts'
import type { Scenario } from './scenarios.ts'

const CUT_REQUESTS = 10

/** Receivers cut the connections of requests for a while, without having stored anything. */
export const requestsCut: Scenario = async (lab) => {
  setAll(lab, (res) => void res.socket?.resetAndDestroy())
  await lab.meta.deliver(30)
  const requests = () => lab.endpoints.reduce((sum, { receiver }) => sum + receiver.requests(), 0)
  await eventually(() => requests() >= CUT_REQUESTS)
  setAll(lab, takesEvent)
  await lab.meta.deliver(10)
}

const SLOW_MS = 150

/** Every other answer of the receivers takes a while, so that events which are posted side by side overtake each other. */
export const everyOtherIsSlow: Scenario = async (lab) => {
  let n = 0
  setAll(lab, (...request) => {
    n += 1
    if (n % 2 === 0) takesEvent(...request)
    else setTimeout(() => takesEvent(...request), SLOW_MS)
  })
  await lab.meta.deliver(120)
}

function setAll({ endpoints }: Lab, reply: EventReply): void {
  for (const { receiver } of endpoints) receiver.set(reply)
}
