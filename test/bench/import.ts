import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { mintToken } from '../../src/cli/token.ts'
import type { Lifetime } from '../../src/lifetime.ts'
import { type Bench, measureLoad } from './measure.ts'
import { cpuBetween, readCpu } from './meters.ts'
import { orgOf } from './people.ts'
import { runBench, say, setUp } from './setup.ts'
import { type Running, startApart } from './variants.ts'

const HELP = `npm run bench -- import [--rooms 50000] [--lines 1000000] [--chatrooms 50000] [--rounds 3] [--seconds 5]
An import over HTTP of so many contacts; one of contacts with chatrooms; and routing with and without an import beside it,
in turns.`

const SECRET = 'a secret of the benchmark with 32 bytes or more'
const JWT = { secrets: [SECRET], jwksUrl: undefined, issuer: undefined, audience: undefined }
const CONNECTIONS = 64
const STEP = 100_000
const CHUNK = 1_000

type Settings = { rooms: number; lines: number; chatrooms: number; rounds: number; seconds: number }
type Lab = { bench: Bench; running: Running; settings: Settings }

const print = (line: string) => void process.stdout.write(`${line}\n`)

/** `npm run bench -- import`; see HELP. */
async function importBench(lifetime: Lifetime): Promise<void> {
  const settings = readSettings()
  const { enter } = await setUp(lifetime)
  const { bench, world } = await enter(settings.rooms, 1)
  const lab = { bench, running: await startApart(world, { JWT_SECRET: SECRET }), settings }
  await measureContacts(lab)
  await measureChatrooms(lab)
  await compareRouting(lab)
}

function readSettings(): Settings {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      ...{ rooms: text('50000'), lines: text('1000000'), chatrooms: text('50000') },
      ...{ rounds: text('3'), seconds: text('5') },
    },
  })
  const number = (value: string) => Number(value)
  const { rooms, lines, chatrooms, rounds, seconds } = values
  return {
    ...{ rooms: number(rooms), lines: number(lines), chatrooms: number(chatrooms) },
    ...{ rounds: number(rounds), seconds: number(seconds) },
  }
}

let people = 0

/** Chunks of lines for people whom nobody knows, until there are `count` or `signal` ends them. */
function* linesOf(count: number, fields: object, signal?: AbortSignal): Generator<string> {
  for (let sent = 0; sent < count && !signal?.aborted; sent += CHUNK) {
    const lines = Array.from({ length: Math.min(CHUNK, count - sent) }, () => {
      people += 1
      const phone_number = `+91${7_000_000_000 + people}`
      const contact = { crm_id: `import-${people}`, phone_number, opt_in_date: '2026-01-31T09:30:00Z' }
      return `${JSON.stringify({ ...contact, first_name: 'Customer', last_name: String(people), ...fields })}\n`
    })
    yield lines.join('')
  }
}

type Imported = { lines: number; ms: number }

/** Imports over HTTP; `onStep` is called after each 100,000 answers. */
async function send(
  { running }: Lab,
  chunks: Iterable<string>,
  onStep: (imported: Imported) => void = () => {},
): Promise<Imported> {
  const org = orgOf(0)
  const token = await mintToken({ org, role: 'ADMIN', user: 'bench', hours: '1' }, JWT)
  const headers = { authorization: `Bearer ${token}` }
  const url = `http://127.0.0.1:${running.port}/v1/org/${org}/contacts:import`
  const began = performance.now()
  const req = request(url, { method: 'POST', headers })
  const sending = pipeline(Readable.from(chunks), req)
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  let lines = 0
  let last = ''
  for await (const line of createInterface({ input: res })) {
    last = line
    lines += 1
    if (lines % STEP === 0) onStep({ lines, ms: performance.now() - began })
  }
  await sending
  const { summary } = JSON.parse(last)
  if (summary?.created !== lines - 1) throw new Error(`not all was created: ${last}`)
  return { lines: lines - 1, ms: performance.now() - began }
}

const rateOf = ({ lines, ms }: Imported) => Math.round((lines * 1_000) / ms)

function memoryOf({ processes }: Running): number {
  const pid = processes.find(({ name }) => name === 'server')?.pid
  const [, kB] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kB) / 1_024)
}

/** The CPU time that each process takes for a contact; it says more than the rate while others use the machine. */
async function withCpu(lab: Lab, what: string, work: () => Promise<Imported>): Promise<void> {
  const metered = [...lab.bench.servers, ...lab.running.processes]
  const before = readCpu(metered)
  const imported = await work()
  const used = Object.entries(cpuBetween(before, readCpu(metered)) ?? {})
  const cpu = used.map(([name, s]) => `${name} ${((s * 1_000_000) / imported.lines).toFixed(0)} µs`)
  print(`\n${imported.lines} ${what}: ${rateOf(imported)}/s; CPU for one: ${cpu.join(', ')}`)
}

async function measureContacts(lab: Lab): Promise<void> {
  const { running, settings } = lab
  print(
    `memory of the server before: ${memoryOf(running)} MB\n\n| lines | contacts/s | memory |\n|---|---|---|`,
  )
  const onStep = (imported: Imported) =>
    print(`| ${imported.lines} | ${rateOf(imported)} | ${memoryOf(running)} MB |`)
  await withCpu(lab, 'contacts', () => send(lab, linesOf(settings.lines, {}), onStep))
}

async function measureChatrooms(lab: Lab): Promise<void> {
  const { chatrooms } = lab.settings
  await withCpu(lab, 'contacts with chatrooms', () => send(lab, linesOf(chatrooms, { chatroom: {} })))
}

/** Both sides of a round route at full speed; an import goes on beside one of them. */
async function compareRouting(lab: Lab): Promise<void> {
  const { bench, running, settings } = lab
  const { rooms, seconds, rounds } = settings
  const load = { mix: 'messages' as const, rooms, seconds, connections: CONNECTIONS, count: seconds * 10_000 }
  // The first load of a process is slower than all others.
  await measureLoad(bench, running, load)
  print('\n| round | routed/s alone | beside an import | ratio | imported/s |\n|---|---|---|---|---|')
  for (let round = 0; round < rounds; round += 1) {
    const rates = new Map<boolean, number>()
    let imported = 0
    for (const beside of round % 2 === 0 ? [false, true] : [true, false]) {
      const ended = new AbortController()
      const importing = beside && send(lab, linesOf(Number.POSITIVE_INFINITY, {}, ended.signal))
      const { routed_per_s } = await measureLoad(bench, running, load)
      ended.abort()
      rates.set(beside, routed_per_s ?? 0)
      if (importing) imported = rateOf(await importing)
    }
    const [alone = 0, beside = 0] = [rates.get(false), rates.get(true)]
    const cells = [round + 1, alone.toFixed(0), beside.toFixed(0), (beside / alone).toFixed(2), imported]
    print(`| ${cells.join(' | ')} |`)
  }
}

say('one measurement after another; a million lines take minutes')
runBench(importBench, HELP)
