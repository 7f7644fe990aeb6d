import { defineConfig } from 'vitest/config'

/** The pure files, which read no clock and no environment and wait for nothing, are covered at 100 %. */
export const PURE = [
  'src/consent/stop-words.ts',
  'src/http/credentials.ts',
  'src/http/rate-limit-headers.ts',
  'src/http/signature.ts',
  'src/logins/claims.ts',
  'src/logins/parse-users.ts',
  'src/webhook/attested-phones.ts',
  'src/webhook/contacts.ts',
  'src/webhook/envelope.ts',
  'src/webhook/exact-json.ts',
  'src/webhook/extract.ts',
  'src/webhook/fields.ts',
  'src/webhook/names.ts',
  'src/webhook/read-items.ts',
  'src/webhook/rename.ts',
  'src/webhook/sender.ts',
  'src/webhook/speaker.ts',
  'src/event-push/decide.ts',
  'src/event-push/place.ts',
  'src/event-push/plan-lanes.ts',
  'src/messages/send-state.ts',
  'src/outbound/address.ts',
  'src/outbound/policy.ts',
  'src/outbound/send-errors.ts',
  'src/routing/auto-reply.ts',
  'src/routing/decide.ts',
  'src/routing/into-room.ts',
  'src/routing/seen-addresses.ts',
  'src/rules/age.ts',
  'src/rules/clock-skew.ts',
  'src/rules/keys.ts',
  'src/rules/latest.ts',
  'src/rules/find-sent.ts',
  'src/rules/ledger-months.ts',
  'src/rules/ledger-order.ts',
  'src/rules/message-status.ts',
  'src/rules/meta-errors.ts',
  'src/rules/lifecycle.ts',
  'src/rules/phone-digits.ts',
  'src/rules/provisional-wamid.ts',
  'src/rules/retention.ts',
  'src/rules/room.ts',
  'src/rules/transition-event.ts',
  'src/rules/uuid-time.ts',
  'src/rules/waiting.ts',
  'src/rules/window.ts',
  'src/rules/without-pruning.ts',
  'src/routing/lookups.ts',
  'src/routing/plan.ts',
  'src/orgs/number-change.ts',
  'src/identity/aliases.ts',
  'src/identity/announced-phones.ts',
  'src/identity/find.ts',
  'src/identity/holdings.ts',
  'src/identity/learn.ts',
  'src/identity/person.ts',
  'src/identity/phone.ts',
  'src/identity/plan-repair.ts',
  'src/erased/digest.ts',
  'src/personal-data/names-in-json.ts',
  'src/personal-data/owned-changes.ts',
]

const suite = (name: string, test: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...test },
})
const withServers = { globalSetup: ['test/support/global-setup.ts'] }

export default defineConfig({
  test: {
    // The tests mostly wait for servers: two at a time also where there are only two cores.
    maxWorkers: 2,
    // Modules are loaded once for all files of a worker, which halves the CPU time of the suite.
    isolate: false,
    setupFiles: ['test/support/setup.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: 'coverage/results.json' },
    projects: [
      suite('unit'),
      suite('integration', withServers),
      // The suite of the receiver once more, without the short cut in front of Express.
      suite('receiver-in-express', {
        ...withServers,
        include: ['test/integration/receiver*.test.ts'],
        env: { RECEIVER_SHORTCUT: 'off' },
      }),
      suite('e2e', withServers),
      suite('faults', { ...withServers, include: ['test/faults/*.test.ts'] }),
      // Minutes of kills and time-outs: `npm run faults -- matrix`, not part of `npm test`.
      suite('matrix', { ...withServers, include: ['test/faults/matrix/*.test.ts'] }),
    ],
    coverage: { provider: 'v8', include: PURE, thresholds: { 100: true }, reporter: ['text'], clean: false },
  },
})
