import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse'
import { ConfigError } from '../../config.ts'
import { ImportContactDto } from '../../contact-import/schemas.ts'
import { parseValue } from '../../http/parse-line.ts'
import { MAX_LINE_BYTES } from '../../http/read-lines.ts'
import { BATCH, type ImportSource, REASON, type SourceLine } from './source.ts'

/** The columns of a chatroom that are fields of `assign_details`. */
const ASSIGNMENT = ['assign_mode', 'user_id', 'user_email', 'group_id', 'assign_on_handover']
const ROOM = ['remote_waba_id', 'remote_phone_id', ...ASSIGNMENT]
const COLUMNS = [...Object.keys(ImportContactDto.shape), ...ROOM]
const FLAGS = ['is_inbound', 'chatroom', 'assign_on_handover']

/**
 * A CSV file with a header line, whose columns are the fields of a contact; the phone is a text in E.164 form, and an
 * empty cell counts as absent.
 */
export function csvSource(path: string): ImportSource {
  const input = createReadStream(path)
  const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true } as const
  const records = input.pipe(parse({ ...options, max_record_size: MAX_LINE_BYTES }))
  input.once('error', (error) => records.destroy(error))
  let header: string[] = []
  const onHeader = (cells: string[]) => {
    header = readHeader(cells)
    return header
  }
  return {
    batches: readRows(records, onHeader),
    rejectsHead: () => csvLine([...withoutReason(header, header), REASON]),
    bytesRead: () => input.bytesRead,
  }
}

type Parsed = { record: string[]; info: { lines: number } }

async function* readRows(
  records: AsyncIterable<Parsed>,
  onHeader: (cells: string[]) => string[],
): AsyncGenerator<SourceLine[]> {
  let header: string[] | undefined
  let rows: SourceLine[] = []
  for await (const { record, info } of records) {
    if (header) rows.push(toLine(header, record, info.lines))
    header ??= onHeader(record)
    if (rows.length < BATCH) continue
    yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}

/** `number`: of the line on which the record ends; a quoted cell may have line breaks. */
function toLine(header: string[], cells: string[], number: number): SourceLine {
  return {
    number,
    parse: () => parseValue(ImportContactDto, number, fieldsOf(header, cells)),
    toReject: (reason) => csvLine([...withoutReason(header, cells), reason]),
  }
}

/** @throws ConfigError for columns that are not known, or missing */
function readHeader(cells: string[]): string[] {
  const names = cells.map((cell) => cell.trim())
  const unknown = names.filter((name) => name !== REASON && !COLUMNS.includes(name))
  if (unknown.length > 0)
    throw new ConfigError(
      `The header has unknown columns: ${unknown.join(', ')}. Known: ${COLUMNS.join(', ')}.`,
    )
  const missing = ['crm_id', 'phone_number', 'opt_in_date'].filter((name) => !names.includes(name))
  if (missing.length > 0) throw new ConfigError(`The header lacks these columns: ${missing.join(', ')}.`)
  return names
}

const WORDS: Record<string, boolean> = { true: true, false: false }

function fieldsOf(header: string[], cells: string[]): Record<string, unknown> {
  const given = header.flatMap((name, i): [string, unknown][] => {
    const cell = cells[i] ?? ''
    if (cell === '' || name === REASON) return []
    return [[name, FLAGS.includes(name) ? (WORDS[cell.toLowerCase()] ?? cell) : cell]]
  })
  const { chatroom, ...rest } = Object.fromEntries(given)
  const [contact, room, assign_details] = [
    pick(rest, (name) => !ROOM.includes(name)),
    pick(rest, (name) => ROOM.includes(name) && !ASSIGNMENT.includes(name)),
    pick(rest, (name) => ASSIGNMENT.includes(name)),
  ]
  const isAssigned = Object.keys(assign_details).length > 0
  const isWanted = isAssigned || Object.keys(room).length > 0 || chatroom === true
  if (!isWanted) return chatroom === undefined || chatroom === false ? contact : { ...contact, chatroom }
  return { ...contact, chatroom: { ...room, ...(isAssigned && { assign_details }) } }
}

function pick(fields: Record<string, unknown>, isPicked: (name: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => isPicked(name)))
}

function withoutReason(header: string[], cells: string[]): string[] {
  return header.flatMap((name, i) => (name === REASON ? [] : [cells[i] ?? '']))
}

function csvLine(cells: string[]): string {
  const quoted = cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
  return `${quoted.join(',')}\n`
}
