import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { besideLocks } from '../support/beside-locks.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { createRoom, createSendingOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const { db, pool, url } = await createTestDatabase()
const lock = 'select from outbox_pairs where customer_id = $1 for update'

it('a batch with the status of one customer and the auto-reply to another locks their pairs in one order', async () => {
  const org = await createSendingOrg(db)
  const [phone] = org.phones
  const senders = ['15552000001', '15552000002']
  const rooms = await Promise.all(
    senders.map((from) => createRoom(db, org, { customer: `+${from}`, expiredAt: ago(1) })),
  )
  const people = rooms.map(({ customerId }, i) => ({ customerId, from: senders[i]! }))
  const [first, last] = people.sort((x, y) => (x.customerId < y.customerId ? -1 : 1))
  const write = ({ from }: { from: string }) => post(phone!, message({ from }))
  const { replies } = await deliver(db, write(last!))
  await deliver(db, write(first!))
  const status = {
    id: `wamid.${randomUUID()}`,
    status: 'sent',
    timestamp: '1790416832',
    biz_opaque_callback_data: replies[0]!.id,
  }
  const ofLast = bytes(delivery([change(phone!, { statuses: [status] })]))
  const work = () => deliver(db, ofLast, write(first!))
  const routed = await besideLocks({ pool, url, lock }, [first!.customerId, last!.customerId], work)
  expect(routed.replies).toHaveLength(1)
})
