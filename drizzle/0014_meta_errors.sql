ALTER TABLE "customers" ADD COLUMN "marketing_paused_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "waba_phones" ADD COLUMN "resumed_at" timestamp (3) with time zone;