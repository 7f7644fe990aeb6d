import type { Random } from './faults/random.ts'
import { message } from './webhooks.ts'

/** People whose phones and BSUIDs turn out to belong together, or not: what they write merges customers and moves names. */
export type CollidingPeople = {
  /** A message of one of them, or the system message that one changed the number. */
  write(): object
  /** The phone of one of them, as digits. */
  phone(): string
}

/** So many people at a time, others each second: people with contacts do not merge any more. */
export function collidingPeople(random: Random, people: number): CollidingPeople {
  const somebody = () => random.int(0, people) + 10 * Math.floor(performance.now() / 1_000)
  const phoneOf = (n: number) => `1555${1_000_000 + (n % 1_000_000)}`
  const idOf = (n: number) => `US.${1000 + n}`
  return {
    phone: () => phoneOf(somebody()),
    write() {
      const [n, m] = [somebody(), somebody()]
      const kind = random.int(0, 10)
      if (kind < 3) return message({ from: phoneOf(n), userId: idOf(n) })
      if (kind < 5) return message({ from: phoneOf(n), userId: idOf(m) })
      if (kind < 7) return message({ from: phoneOf(n) })
      if (kind < 9) return message({ from: '', userId: idOf(n) })
      const system = { type: 'user_changed_number', wa_id: phoneOf(m), user_id: idOf(m), body: 'changed' }
      return message({
        from: phoneOf(n),
        type: 'system',
        extra: { system: { ...system, previous_user_id: idOf(n) } },
      })
    },
  }
}
