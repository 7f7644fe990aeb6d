/**
 * How violations of a rule are counted. `lost`, `doubled`, `misplaced` and `invented` are figures of the published
 * table; `wrong` is everything else that is not as promised.
 */
export type Kind = 'lost' | 'doubled' | 'misplaced' | 'invented' | 'wrong'

/** What must hold after any fault, once everything is healed and no work waits (docs/reliability.md#what-holds). */
export const RULES = {
  acknowledgedIsKept: ['lost', 'a message answered with 200 is stored, or its delivery waits in the inbox'],
  storedOnce: ['doubled', 'a message is stored once'],
  storedWasPosted: ['invented', 'only messages that were posted with a valid signature are stored'],
  ownPlace: ['misplaced', 'a message is stored with its own org, number and sender, in a chatroom of theirs'],
  oneCustomerPerSender: ['misplaced', 'a sender is one customer of an org, and a customer is one sender'],
  contentAsSigned: ['wrong', 'a message has the type and the text that were signed'],
  timeAsSigned: ['wrong', "a message has Meta's time"],
  ownIsNobody: ['misplaced', 'a message from a number of the org itself has no customer and no chatroom'],
  actsGoAlong: [
    'misplaced',
    'a reaction, an edit or a revoke is in the chatroom of the message before it, and wakes nobody',
  ],
  speaksAsPosted: ['wrong', 'a message is the company’s or the customer’s, as it was posted'],
  asideChangesNothing: ['wrong', 'an echo, a message of the history and one of an own number is not routed'],
  contentReplacesGhost: ['wrong', 'real content replaces its ghost, never the reverse'],

  oneActive: ['doubled', 'a customer has at most one active chatroom at a number'],
  expiredIsFinal: ['wrong', 'an expired chatroom stays expired'],
  expiresInTime: [
    'wrong',
    'a contact expires when its days are over by the clock of the database, not before',
  ],
  timeIsTheDatabases: ['wrong', 'no change has a time that is still to come by the clock of the database'],
  contactExpiresWhole: ['wrong', 'a contact expires together with all of its chatrooms'],
  createdForMessage: ['invented', 'routing creates a chatroom only for a message that it stores there'],
  latestInbound: [
    'wrong',
    'last_inbound_at of a chatroom is the latest time of its messages, in whatever order they came',
  ],
  stateFollows: [
    'wrong',
    'a chatroom changes from the state it was in, by a transition that the rules allow',
  ],
  auditIsComplete: ['wrong', 'the audit has every change of state'],

  replyForEach: ['lost', 'every message to an expired chatroom has an auto-reply'],
  replyOnce: ['doubled', 'a message has at most one auto-reply'],
  replyOnlyToExpired: ['invented', 'only messages to expired chatrooms have an auto-reply'],
  acceptedOnce: ['doubled', 'Meta accepts a message at most once'],
  replyToSender: [
    'misplaced',
    'a reply goes to the sender of the message, from the number it was written to',
  ],
  acceptedIsNotFailed: ['wrong', 'a message that Meta accepted is neither called failed nor queued'],
  confirmedIsSent: [
    'wrong',
    'a message whose acceptance Meta confirmed is called sent, unless its sender was ended before it recorded that',
  ],
  sentWasAccepted: ['invented', 'a message that is called sent was accepted by Meta'],
  sentInOrder: ['wrong', 'messages of a pair leave in the order in which they were accepted'],
  unknownHasLeft: ['wrong', 'a message is called unknown only when its request has left'],
  stoppedByMeta: ['wrong', 'a number is stopped only for what Meta says about it'],
  statusesGoForward: ['wrong', 'the status of a message only goes forward'],

  removedHasNothing: ['wrong', 'a user who was removed has no chatroom, no handover and no group'],
  erasedStaysErased: ['invented', 'a message of an erased person does not come back by a redelivery'],
  removedIsRefused: ['wrong', 'the token of a user who was removed is answered with 403'],

  noDeadlock: ['wrong', 'no transaction of Usher ends because of a deadlock'],
  othersDoNotWait: ['wrong', 'a delivery that waits for the lock of one customer holds up nobody else'],
  logSkipsNothing: ['lost', 'a reader who follows the event log gets every event'],
  logIsInOrder: ['wrong', 'a reader who follows the event log gets the events in the order of the log'],
  logIsKept: ['lost', 'events are kept as long as it is promised'],
  postedIsComplete: ['lost', 'a webhook endpoint gets every event of its org'],
  postedInOrder: ['wrong', 'a webhook endpoint gets the events of a customer in their order'],
  postedWasLogged: ['invented', 'a webhook endpoint gets only events that are in the log'],
  postedIsSigned: ['wrong', 'every request to a webhook endpoint is signed, with the id of its event'],
  logIsComplete: ['lost', 'every message of the ledger has its event in the log'],
  shownIsKept: ['lost', 'what the API has shown survives a crash of PostgreSQL'],

  inboxIsEmpty: ['wrong', 'no delivery waits in the inbox in the end'],
  outboxIsEmpty: ['wrong', 'no message waits in the outbox in the end'],
  queuesAreEmpty: ['wrong', 'the queues are empty in the end'],
  deadLetterHasReason: ['wrong', 'a dead letter has an error'],
  onlyUnreadableIsDead: ['wrong', 'only a delivery that cannot be read becomes a dead letter'],
  unreadableIsKept: ['lost', 'a delivery that cannot be read is kept as a dead letter'],
  forgedIsRefused: ['invented', 'a forged delivery is answered with 401'],

  noSecretInLogs: ['wrong', 'no log has a secret, a message text or a phone number'],
  noProcessEnds: ['wrong', 'no process ends by itself'],
  everyWorkerRoutes: ['wrong', 'every worker routes again after the faults'],
  everyDeliveryIsAnswered: ['wrong', 'every delivery is answered in the end'],
  recoveryInTime: ['wrong', 'Usher recovers from every fault in time, without a restart'],
} as const satisfies Record<string, readonly [Kind, string]>

export type Rule = keyof typeof RULES
