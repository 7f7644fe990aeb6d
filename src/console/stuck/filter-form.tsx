import { AGES, type Age } from '../../rules/age.ts'
import { Choice, plain } from '../ui/choice.tsx'
import type { NumberName } from '../ui/list-numbers.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { NumberChoice } from '../ui/number-choice.tsx'
import { OrgPicker } from '../ui/parts.tsx'
import { type ListName, listPath, type StuckFilter } from './stuck-query.ts'

/** The names of ages, as people choose them. */
export const AGE_NAMES: Record<Age, string> = {
  'under-1h': 'Less than 1 h',
  'under-1d': 'Less than 1 d',
  'under-7d': 'Less than 7 d',
  'over-1h': 'More than 1 h',
  'over-1d': 'More than 1 d',
  'over-7d': 'More than 7 d',
}
const AGE_OPTIONS = AGES.map((age) => ({ value: age, name: AGE_NAMES[age] }))

type Props = { list: ListName; filter: StuckFilter; orgs: OrgName[]; numbers: NumberName[] }

/** A form that chooses what a list shows: of its org, number, reason and age. Deliveries have no org that is known. */
export function StuckFilterForm({ list, filter, orgs, numbers }: Props) {
  const { org, number, reason, age, state, waits } = filter
  const hasOrg = list === 'sends' || list === 'held'
  return (
    <form class="bar filters" method="get" action={listPath(list)}>
      {hasOrg && <OrgPicker orgs={orgs} orgId={org} />}
      {hasOrg && <NumberChoice numbers={numbers} chosen={number} orgId={org} />}
      {list === 'sends' && (
        <Choice
          label="State"
          name="state"
          all="All states"
          chosen={state}
          options={plain(['failed', 'unknown'])}
        />
      )}
      {list === 'parked' && <Words label="Waits for" name="waits" value={waits} />}
      {list !== 'parked' && <Words label="Reason contains" name="reason" value={reason} />}
      <Choice label="Age" name="age" all="Any age" chosen={age} options={AGE_OPTIONS} />
      <button type="submit">Show</button>
    </form>
  )
}

function Words({ label, name, value }: { label: string; name: string; value: string | undefined }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input name={name} value={value} maxLength={500} />
    </label>
  )
}
