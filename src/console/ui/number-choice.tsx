import { Choice } from './choice.tsx'
import type { NumberName } from './list-numbers.ts'
import { formatPhone } from './phone.ts'

type Props = {
  numbers: NumberName[]
  chosen: string | undefined
  /** The org of the numbers; undefined if they are those of all orgs, which are then named. */
  orgId: string | undefined
}

/** A field to choose a number, or all. */
export function NumberChoice({ numbers, chosen, orgId }: Props) {
  const options = numbers.map(({ id, orgId: owner, number: phone }) => ({
    value: id,
    name: orgId === undefined ? `${formatPhone(phone)} · ${owner}` : formatPhone(phone),
  }))
  return <Choice label="Number" name="number" all="All numbers" chosen={chosen} options={options} />
}
