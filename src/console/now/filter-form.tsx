import { ROUTES } from '../../db/schema/index.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { OrgPicker } from '../ui/parts.tsx'
import { formatPhone } from '../ui/phone.ts'
import type { FeedFilter } from './feed-filter.ts'
import type { NumberName } from './list-numbers.ts'

/** The types of messages that customers send; the address of the page takes any other, too. */
const TYPES = [
  ...['audio', 'button', 'contacts', 'document', 'image', 'interactive', 'location', 'order', 'reaction'],
  ...['sticker', 'system', 'text', 'unsupported', 'video'],
]

type Props = { filter: FeedFilter; orgs: OrgName[]; numbers: NumberName[] }

/** A form that chooses which messages the feed shows. */
export function FilterForm({ filter, orgs, numbers }: Props) {
  const { orgId, number, decision, type } = filter
  const named = numbers.map(({ id, orgId: owner, number: phone }) => ({
    value: id,
    name: orgId === undefined ? `${formatPhone(phone)} · ${owner}` : formatPhone(phone),
  }))
  const types = type === undefined || TYPES.includes(type) ? TYPES : [...TYPES, type]
  return (
    <form class="bar filters" method="get" action="/console">
      <OrgPicker orgs={orgs} orgId={orgId} />
      <Choice label="Number" name="number" all="All numbers" chosen={number} options={named} />
      <Choice
        label="Decision"
        name="decision"
        all="All decisions"
        chosen={decision}
        options={plain(ROUTES)}
      />
      <Choice label="Type" name="type" all="All types" chosen={type} options={plain(types)} />
      <button type="submit">Show</button>
    </form>
  )
}

const plain = (words: readonly string[]) => words.map((word) => ({ value: word, name: word }))

type ChoiceProps = {
  label: string
  name: string
  all: string
  chosen: string | undefined
  options: { value: string; name: string }[]
}

function Choice({ label, name, all, chosen, options }: ChoiceProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select name={name}>
        <option value="">{all}</option>
        {options.map(({ value, name: text }) => (
          <option value={value} selected={value === chosen}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
