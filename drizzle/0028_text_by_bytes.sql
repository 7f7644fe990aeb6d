-- Ids, keys, and names that Meta gives are compared by their bytes, whatever the collation of the database. No row is written
-- again, but the indexes over these columns are built anew, and each table stays locked until all are done. The ledger has no
-- rows yet where an older version is upgraded (src/db/move-messages.ts). Statements that a process of the version before has
-- prepared fail from now on, as their results have another collation.
ALTER TABLE "account_events"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "waba_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "field" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "idempotency_keys"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "key" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "bulk_runs"
  ALTER COLUMN "kind" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "actor" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "chatroom_members"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "user_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "chatrooms"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "waba_phone_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "external_ref_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "pending_user_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "assigned_user_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "contact_wabas"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "waba_phone_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "contacts"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "crm_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "phone" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "governance_level_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "customer_aliases"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "kind" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "value" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "customers"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "wa_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "former_aliases"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "kind" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "value" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "early_statuses"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "wamid" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "status" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "event_log"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "type" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "wamid" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "events"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "kind" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "actor" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "wamid" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "heartbeats"
  ALTER COLUMN "kind" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "name" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "inbox"
  ALTER COLUMN "state" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "parked_for" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "last_calls"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "waba_phone_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "messages"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "wamid" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "waba_phone_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "direction" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "type" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "route" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "wa_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "user_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "status" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "orgs"
  ALTER COLUMN "id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "unknown_sender" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "delegate_user_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "delegate_group_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "outbox"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "kind" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "waba_phone_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "origin" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "in_reply_to" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "state" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "wamid" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "outbox_pairs"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "waba_phone_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "group_members"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "group_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "user_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "groups"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "rate_limits" ALTER COLUMN "key" SET DATA TYPE varchar(255) COLLATE "C";--> statement-breakpoint
ALTER TABLE "erasures" ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "tombstones" ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "users"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "meta_objects"
  ALTER COLUMN "kind" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "waba_phone_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
-- A column from which another is generated keeps its type, so the generated ones are made again.
ALTER TABLE "waba_phones" DROP COLUMN "remote_id", DROP COLUMN "digits";--> statement-breakpoint
ALTER TABLE "waba_phones"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "waba_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "moved_to" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "waba_phones"
  ADD COLUMN "remote_id" text COLLATE "C" GENERATED ALWAYS AS (coalesce(moved_to, id)) STORED NOT NULL,
  ADD COLUMN "digits" text COLLATE "C" GENERATED ALWAYS AS (regexp_replace(display_phone_number, '[^0-9]', '', 'g')) STORED NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "waba_phones_remote" ON "waba_phones" USING btree ("org_id","remote_id");--> statement-breakpoint
CREATE INDEX "waba_phones_digits" ON "waba_phones" USING btree ("org_id","digits");--> statement-breakpoint
ALTER TABLE "wabas"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "waiting_chatrooms"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "webhook_attempts"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "event_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "type" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "webhook_endpoints"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "on_rejection" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "webhook_lanes"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "webhook_skips"
  ALTER COLUMN "org_id" SET DATA TYPE text COLLATE "C",
  ALTER COLUMN "type" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "webhook_refusals"
  ALTER COLUMN "reason" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
DROP INDEX "users_email";--> statement-breakpoint
CREATE UNIQUE INDEX "users_email" ON "users" USING btree ("org_id",lower("email") collate "C") WHERE removed_at is null;