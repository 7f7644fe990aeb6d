export type Option = { value: string; name: string }

type Props = {
  label: string
  name: string
  /** The name of the choice that chooses nothing. */
  all: string
  chosen: string | undefined
  options: Option[]
}

/** A field to choose one value, or all. */
export function Choice({ label, name, all, chosen, options }: Props) {
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

/** Options whose names are their values. */
export const plain = (words: readonly string[]): Option[] =>
  words.map((word) => ({ value: word, name: word }))
