import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Command, Option } from 'commander'
import { SetupError } from '../config.ts'
import { NAME, writeOrgs } from '../logins/parse-users.ts'
import { hashPassword } from '../logins/password.ts'

const MIN_LENGTH = 12

type Input = NodeJS.ReadableStream & { isTTY?: boolean }

type Options = { role: string; org?: string[]; password: boolean }

/** `ops-user`: prints the line of a person for OPS_USERS_FILE. */
export function opsUserCommand(input: Input = process.stdin): Command {
  return new Command('ops-user')
    .description(
      'print the line of a person for OPS_USERS_FILE; asks for the password, or reads it from stdin',
    )
    .argument('<name>', 'name or e-mail address with which the person logs in')
    .addOption(new Option('--role <role>').choices(['viewer', 'operator']).makeOptionMandatory())
    .option('--no-password', 'the person logs in at the OpenID provider only')
    .option('--org <id>', 'org that the person may see, once for each; without it all orgs', collect)
    .action(async (name: string, { role, org: orgs, password }: Options) => {
      if (!NAME.test(name))
        throw new SetupError('The name must consist of up to 100 letters, digits and . @ + - _')
      const stored = password ? await hashPassword(await askPassword(input)) : '-'
      console.log([name, role, orgs ? writeOrgs(orgs) : '*', stored].join(' '))
    })
}

const collect = (id: string, ids: string[] = []) => [...ids, id]

/** Asks twice at a terminal. @throws SetupError when the two differ, or are too short */
async function askPassword(input: Input): Promise<string> {
  const password = await readLine(input.isTTY ? 'Password: ' : '', input)
  if (input.isTTY && (await readLine('Once more: ', input)) !== password)
    throw new SetupError('The two passwords differ.')
  if (password.length < MIN_LENGTH)
    throw new SetupError(`The password must have at least ${MIN_LENGTH} characters.`)
  return password
}

/** Reads a line without showing it. The question goes to stderr, because the line of the file goes to stdout. */
async function readLine(question: string, input: Input): Promise<string> {
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: input.isTTY ?? false })
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
    if (question !== '') process.stderr.write('\n')
  }
}
