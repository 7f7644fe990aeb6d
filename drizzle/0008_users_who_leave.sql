-- The index of pending handovers covers chatrooms in every state now. The old one is dropped last, because dropping it locks
-- the table until the migration commits.
DROP INDEX "users_email";--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "removed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "released_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "released_chatrooms" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "chatrooms_handover" ON "chatrooms" USING btree ("org_id","pending_user_id") WHERE pending_user_id is not null;--> statement-breakpoint
CREATE INDEX "users_to_release" ON "users" USING btree ("org_id","id") WHERE removed_at is not null and released_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "users_email" ON "users" USING btree ("org_id",lower("email")) WHERE removed_at is null;--> statement-breakpoint
DROP INDEX "chatrooms_pending";
