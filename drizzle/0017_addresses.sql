ALTER TABLE "customers" ADD COLUMN "wa_id" text;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "wa_id_at" timestamp (3) with time zone;