DROP INDEX "outbox_one_auto_reply";--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "outbox_id" uuid;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "retry_of" uuid;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "retry_of" uuid;--> statement-breakpoint
-- Messages whose row of the outbox is still there get their ids. Two statements, so that each finds its messages by key.
UPDATE "messages" m SET "outbox_id" = o."id" FROM "outbox" o
  WHERE m."org_id" = o."org_id" AND m."wamid" = o."wamid" AND m."direction" = 'out';--> statement-breakpoint
UPDATE "messages" m SET "outbox_id" = o."id" FROM "outbox" o
  WHERE m."org_id" = o."org_id" AND m."wamid" = 'outbox:' || o."id" AND m."direction" = 'out';--> statement-breakpoint
CREATE UNIQUE INDEX "messages_sent_id" ON "messages" USING btree ("org_id","outbox_id") WHERE outbox_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "messages_one_retry" ON "messages" USING btree ("org_id","retry_of") WHERE retry_of is not null;--> statement-breakpoint
CREATE INDEX "messages_failed" ON "messages" USING btree ("org_id","sent_at") WHERE status = 'failed';--> statement-breakpoint
CREATE INDEX "outbox_unknown" ON "outbox" USING btree ("org_id","created_at") WHERE state = 'unknown';--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_one_auto_reply" ON "outbox" USING btree ("org_id","in_reply_to") WHERE kind = 'auto_reply' and retry_of is null;