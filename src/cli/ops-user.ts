import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Command, Option } from 'commander'
import { SetupError } from '../config.ts'
import { NAME, writeOrgs } from '../logins/parse-users.ts'
import { hashPassword } from '../logins/password.ts'

const MIN_LENGTH = 12

type Input = NodeJS.ReadableStream & { isTTY?: boolean }

/** `ops-user`: prints the line of a person for OPS_USERS_FILE. */
export function opsUserCommand(input: Input = process.stdin): Command {
  return new Command('ops-user')
    .description(
      'print the line of a person for OPS_USERS_FILE; asks for the password, or reads it from stdin',
    )
    .argument('<name>', 'name or e-mail address with which the person logs in')
    .addOption(new Option('--role <role>').choices(['viewer', 'operator']).makeOptionMandatory())
    .option('--org <id>', 'org that the person may see, once for each; without it all orgs', collect)
    .action(async (name: string, { role, org: orgs }: { role: string; org?: string[] }) => {
      if (!NAME.test(name))
        throw new SetupError('The name must consist of up to 100 letters, digits and . @ + - _')
      const password = input.isTTY ? await askTwice(input) : await readLine('', input)
      if (password.length < MIN_LENGTH)
        throw new SetupError(`The password must have at least ${MIN_LENGTH} characters.`)
      console.log([name, role, orgs ? writeOrgs(orgs) : '*', await hashPassword(password)].join(' '))
    })
}

const collect = (id: string, ids: string[] = []) => [...ids, id]

/** @throws SetupError when the two differ */
async function askTwice(input: Input): Promise<string> {
  const password = await readLine('Password: ', input)
  if ((await readLine('Once more: ', input)) !== password) throw new SetupError('The two passwords differ.')
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
